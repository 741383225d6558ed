"""Providers of models."""

from __future__ import annotations

from hullmark._secrets.detector import token

DETECTORS = (
    token(
        "openai-key",
        "an OpenAI key",
        rb"sk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,80}|[A-Za-z0-9]{20})T3BlbkFJ[A-Za-z0-9_-]{20,80}",
        b"sk-",
    ),
    token(
        "anthropic-key",
        "an Anthropic key",
        rb"sk-ant-(?:api|admin|oat|sid)[0-9]{2}-[A-Za-z0-9_-]{80,120}",
        b"sk-ant-",
    ),
    token("openrouter-key", "an OpenRouter key", rb"sk-or-v1-[a-f0-9]{64}", b"sk-or-v1-"),
    token("huggingface-token", "a Hugging Face token", rb"hf_[A-Za-z]{34}", b"hf_"),
    token("huggingface-organisation-token", "a Hugging Face token", rb"api_org_[A-Za-z]{34}", b"api_org_"),
    token("replicate-token", "a Replicate token", rb"r8_[A-Za-z0-9]{37}", b"r8_"),
    token("groq-key", "a Groq key", rb"gsk_[A-Za-z0-9]{52}", b"gsk_"),
    token("perplexity-key", "a Perplexity key", rb"pplx-[A-Za-z0-9]{48}", b"pplx-"),
    token("xai-key", "an xAI key", rb"xai-[A-Za-z0-9]{80}", b"xai-"),
    token("nvidia-key", "an NVIDIA API key", rb"nvapi-[A-Za-z0-9_-]{64}", b"nvapi-"),
    token(
        "langsmith-key",
        "a LangSmith key",
        rb"lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}",
        b"lsv2_pt_",
        b"lsv2_sk_",
    ),
    token("pinecone-key", "a Pinecone key", rb"pcsk_[A-Za-z0-9]{5,6}_[A-Za-z0-9]{63,66}", b"pcsk_"),
    token("elevenlabs-key", "an ElevenLabs key", rb"sk_[a-f0-9]{48}", b"sk_"),
    token("tavily-key", "a Tavily key", rb"tvly-(?:dev-|prod-)?[A-Za-z0-9]{32}", b"tvly-"),
    token("cerebras-key", "a Cerebras key", rb"csk-[a-z0-9]{48}", b"csk-"),
    token("together-key", "a Together key", rb"tgp_v1_[A-Za-z0-9_-]{43}", b"tgp_v1_"),
    token("deepseek-key", "a key of an AI provider", rb"sk-[a-f0-9]{32}", b"sk-"),
)
