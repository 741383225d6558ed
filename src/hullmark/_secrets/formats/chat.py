"""Chat, mail and telephones."""

from __future__ import annotations

from hullmark._secrets.checksums import is_discord_token
from hullmark._secrets.detector import token

DETECTORS = (
    token("slack-bot-token", "a Slack token", rb"xoxb-[0-9]{10,13}-[0-9]{10,13}-[A-Za-z0-9]{24}", b"xoxb-"),
    token(
        "slack-user-token",
        "a Slack token",
        rb"xox[aprs]-(?:[0-9]{10,13}-){2,3}[A-Za-z0-9]{24,64}",
        b"xoxa-",
        b"xoxp-",
        b"xoxr-",
        b"xoxs-",
    ),
    token(
        "slack-app-token", "a Slack token", rb"xapp-[0-9]-A[A-Z0-9]{8,12}-[0-9]{10,14}-[a-f0-9]{64}", b"xapp-"
    ),
    token(
        "slack-configuration-token",
        "a Slack token",
        rb"xoxe(?:\.xox[bp])?-[0-9]-[A-Za-z0-9]{140,220}",
        b"xoxe",
    ),
    token(
        "slack-webhook",
        "a Slack webhook",
        rb"hooks\.slack\.com/(?:services|workflows)/T[A-Z0-9]{8,12}/[AB][A-Z0-9]{8,12}/[A-Za-z0-9]{24}",
        b"hooks.slack.com/services/",
        b"hooks.slack.com/workflows/",
    ),
    token(
        "discord-token",
        "a Discord token",
        rb"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}",
        check=is_discord_token,
    ),
    token(
        "discord-webhook",
        "a Discord webhook",
        rb"discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{68}",
        b"discord.com/api/webhooks/",
        b"discordapp.com/api/webhooks/",
    ),
    token("telegram-bot-token", "a Telegram bot token", rb"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}", b":AA"),
    token(
        "teams-webhook",
        "a Microsoft Teams webhook",
        rb"[a-z0-9]{1,60}\.webhook\.office\.com/webhookb2/[a-f0-9-]{36}@[a-f0-9-]{36}/IncomingWebhook/[a-f0-9]{32}",
        b".webhook.office.com/webhookb2/",
    ),
    token("sendgrid-key", "a SendGrid API key", rb"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}", b"SG."),
    token("mailgun-key", "a Mailgun API key", rb"key-[a-f0-9]{32}", b"key-"),
    token("mailchimp-key", "a Mailchimp API key", rb"[a-f0-9]{32}-us[0-9]{1,2}", b"-us"),
    token("brevo-key", "a Brevo API key", rb"xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}", b"xkeysib-"),
    token("resend-key", "a Resend API key", rb"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}", b"re_"),
    token(
        "mapbox-secret-token",
        "a secret Mapbox token",
        rb"sk\.eyJ[A-Za-z0-9_-]{60,200}\.[A-Za-z0-9_-]{22}",
        b"sk.eyJ",
    ),
)
