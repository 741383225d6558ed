"""Payment and shops."""

from __future__ import annotations

from hullmark._secrets.detector import token

DETECTORS = (
    token("stripe-key", "a Stripe key", rb"(?:sk|rk)_live_[A-Za-z0-9]{24,250}", b"sk_live_", b"rk_live_"),
    token(
        "stripe-test-key",
        "a Stripe key for tests",
        rb"(?:sk|rk)_test_[A-Za-z0-9]{24,250}",
        b"sk_test_",
        b"rk_test_",
    ),
    token("stripe-webhook-secret", "a Stripe webhook secret", rb"whsec_[A-Za-z0-9]{32}", b"whsec_"),
    token(
        "square-token",
        "a Square token",
        rb"sq0(?:atp-[A-Za-z0-9_-]{22}|csp-[A-Za-z0-9_-]{43})",
        b"sq0atp-",
        b"sq0csp-",
    ),
    token(
        "braintree-token",
        "a Braintree access token",
        rb"access_token\$production\$[a-z0-9]{16}\$[a-f0-9]{32}",
        b"access_token$production$",
    ),
    token(
        "shopify-token",
        "a Shopify token",
        rb"shp(?:at|ss|ca|pa)_[a-fA-F0-9]{32}",
        b"shpat_",
        b"shpss_",
        b"shpca_",
        b"shppa_",
    ),
    token(
        "plaid-token",
        "a Plaid access token",
        rb"access-production-[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}",
        b"access-production-",
    ),
    token("flutterwave-key", "a Flutterwave key", rb"FLWSECK-[a-f0-9]{32}-X", b"FLWSECK-"),
    token("mollie-key", "a Mollie API key", rb"live_[A-Za-z0-9]{30}", b"live_"),
    token("duffel-token", "a Duffel token", rb"duffel_live_[A-Za-z0-9_-]{43}", b"duffel_live_"),
    token("easypost-key", "an EasyPost API key", rb"EZAK[A-Za-z0-9]{54}", b"EZAK"),
    token("shippo-token", "a Shippo token", rb"shippo_live_[a-f0-9]{40}", b"shippo_live_"),
)
