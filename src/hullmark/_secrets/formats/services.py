"""Databases, monitoring, and services that applications call."""

from __future__ import annotations

from hullmark._secrets.checksums import ends_with_crc16, ends_with_hex_crc32, is_bech32
from hullmark._secrets.detector import token

DETECTORS = (
    token(
        "planetscale-password",
        "a PlanetScale password",
        rb"pscale_(?:pw|tkn|oauth)_[A-Za-z0-9_.-]{32,64}",
        b"pscale_pw_",
        b"pscale_tkn_",
        b"pscale_oauth_",
    ),
    token("supabase-token", "a Supabase token", rb"sbp_(?:v0_)?[a-f0-9]{40}", b"sbp_"),
    token("supabase-secret-key", "a Supabase secret key", rb"sb_secret_[A-Za-z0-9_-]{31}", b"sb_secret_"),
    token("neon-key", "a Neon API key", rb"napi_[a-z0-9]{64}", b"napi_"),
    token("databricks-token", "a Databricks token", rb"dapi[a-f0-9]{32}(?:-[0-9])?", b"dapi"),
    token("aiven-token", "an Aiven token", rb"aivenv1[A-Za-z0-9+/]{100,300}", b"aivenv1"),
    token("fauna-key", "a Fauna key", rb"fnA[A-Za-z0-9_-]{37}", b"fnA"),
    token(
        "nats-seed",
        "a NATS seed",
        rb"S[UAOCNX][A-Z2-7]{56}",
        b"SU",
        b"SA",
        b"SO",
        b"SC",
        b"SN",
        b"SX",
        check=ends_with_crc16,
    ),
    token("new-relic-key", "a New Relic key", rb"NRAK-[A-Z0-9]{27}", b"NRAK-"),
    token(
        "new-relic-insights-key", "a New Relic insert key", rb"NRI[IQ]-[A-Za-z0-9_-]{32}", b"NRII-", b"NRIQ-"
    ),
    token(
        "grafana-service-token",
        "a Grafana token",
        rb"glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}",
        b"glsa_",
        check=ends_with_hex_crc32,
    ),
    token("grafana-cloud-token", "a Grafana Cloud token", rb"glc_eyJ[A-Za-z0-9+/]{40,400}", b"glc_eyJ"),
    token(
        "sentry-organisation-token", "a Sentry token", rb"sntrys_eyJ[A-Za-z0-9+/=_-]{80,500}", b"sntrys_eyJ"
    ),
    token("sentry-user-token", "a Sentry token", rb"sntry[ui]_[a-f0-9]{64}", b"sntryu_", b"sntryi_"),
    token("honeycomb-key", "a Honeycomb key", rb"hc[abl]ik_[a-z0-9]{58}", b"hcaik_", b"hcbik_", b"hclik_"),
    token("dynatrace-token", "a Dynatrace token", rb"dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}", b"dt0"),
    token("airtable-token", "an Airtable token", rb"pat[A-Za-z0-9]{14}\.[a-f0-9]{64}", b"pat"),
    token("notion-token", "a Notion token", rb"ntn_[A-Za-z0-9]{46}", b"ntn_"),
    token(
        "figma-token",
        "a Figma token",
        rb"fig[duor]h?_[A-Za-z0-9_-]{40}",
        b"figd_",
        b"figu_",
        b"figo_",
        b"figr_",
        b"figdh_",
        b"figuh_",
    ),
    token("contentful-token", "a Contentful token", rb"CFPAT-[A-Za-z0-9_-]{43}", b"CFPAT-"),
    token("typeform-token", "a Typeform token", rb"tfp_[A-Za-z0-9_-]{44}_[A-Za-z0-9_-]{14}", b"tfp_"),
    token("prefect-key", "a Prefect key", rb"pn[ub]_[A-Za-z0-9]{36}", b"pnu_", b"pnb_"),
    token(
        "onepassword-token",
        "a 1Password token",
        rb"ops_eyJ[A-Za-z0-9+/=_-]{200,1500}",
        b"ops_eyJ",
        behind=1600,
    ),
    token(
        "hubspot-token",
        "a HubSpot token",
        rb"pat-(?:na|eu)[0-9]-[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}",
        b"pat-na",
        b"pat-eu",
    ),
    token(
        "tailscale-key",
        "a Tailscale key",
        rb"tskey-(?:auth|api|client|scim|webhook)-[A-Za-z0-9]{8,24}-[A-Za-z0-9]{30,40}",
        b"tskey-",
    ),
    token(
        "age-key",
        "a private key of age",
        rb"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
        b"AGE-SECRET-KEY-1",
        check=is_bech32,
    ),
)
