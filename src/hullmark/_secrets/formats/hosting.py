"""Hosts of Git repositories, and what builds and tracks the work on them."""

from __future__ import annotations

from hullmark._secrets.checksums import ends_with_crc32
from hullmark._secrets.detector import token

DETECTORS = (
    token(
        "github-token",
        "a GitHub token",
        rb"gh[pousr]_[A-Za-z0-9]{36}",
        b"ghp_",
        b"gho_",
        b"ghu_",
        b"ghs_",
        b"ghr_",
        check=ends_with_crc32,
    ),
    token(
        "github-fine-grained-token",
        "a GitHub token",
        rb"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
        b"github_pat_",
    ),
    token(
        "gitlab-token",
        "a GitLab token",
        rb"glpat-[A-Za-z0-9_-]{20,60}(?:\.[a-z0-9]{2}\.[a-z0-9]{9})?",
        b"glpat-",
    ),
    token("gitlab-deploy-token", "a deploy token of GitLab", rb"gldt-[A-Za-z0-9_-]{20}", b"gldt-"),
    token(
        "gitlab-runner-token",
        "a runner token of GitLab",
        rb"glrt(?:r)?-[A-Za-z0-9_-]{20,60}(?:\.[a-z0-9]{2}\.[a-z0-9]{9})?",
        b"glrt-",
        b"glrtr-",
    ),
    token(
        "gitlab-job-token", "a job token of GitLab", rb"glcbt-[A-Za-z0-9]{1,5}_[A-Za-z0-9_-]{20}", b"glcbt-"
    ),
    token("gitlab-trigger-token", "a trigger token of GitLab", rb"glptt-[a-f0-9]{40}", b"glptt-"),
    token(
        "gitlab-agent-token",
        "a token of GitLab's agent for Kubernetes",
        rb"glagent-[A-Za-z0-9_-]{50}",
        b"glagent-",
    ),
    token("gitlab-oauth-secret", "a secret of a GitLab OAuth application", rb"gloas-[a-f0-9]{64}", b"gloas-"),
    token("gitlab-scim-token", "a SCIM token of GitLab", rb"glsoat-[A-Za-z0-9_-]{20}", b"glsoat-"),
    token(
        "gitlab-mail-token",
        "a token for mail to GitLab",
        rb"gl(?:imt|ft|ffct)-[A-Za-z0-9_-]{20,25}",
        b"glimt-",
        b"glft-",
        b"glffct-",
    ),
    token("bitbucket-app-password", "a Bitbucket app password", rb"ATBB[A-Za-z0-9]{24}[A-F0-9]{8}", b"ATBB"),
    token("atlassian-token", "an Atlassian token", rb"ATATT3[A-Za-z0-9_-]{100,250}=[A-F0-9]{8}", b"ATATT3"),
    token("sourcegraph-token", "a Sourcegraph token", rb"sgp_(?:[a-f0-9]{16}|local)_[a-f0-9]{40}", b"sgp_"),
    token(
        "circleci-token",
        "a CircleCI token",
        rb"CCIP(?:AT|RJ)_[A-Za-z0-9]{22}_[a-f0-9]{40}",
        b"CCIPAT_",
        b"CCIPRJ_",
    ),
    token("buildkite-token", "a Buildkite token", rb"bkua_[a-f0-9]{40}", b"bkua_"),
    token(
        "linear-key", "a Linear API key", rb"lin_(?:api|oauth)_[A-Za-z0-9]{40}", b"lin_api_", b"lin_oauth_"
    ),
    token("sonar-token", "a SonarQube token", rb"sq[pua]_[a-f0-9]{40}", b"sqp_", b"squ_", b"sqa_"),
    token(
        "snyk-token",
        "a Snyk token",
        rb"snyk_(?:uat|sat)\.[a-z0-9]{8}\.[A-Za-z0-9_-]{40,500}",
        b"snyk_uat.",
        b"snyk_sat.",
    ),
    token("postman-key", "a Postman API key", rb"PMAK-[a-f0-9]{24}-[a-f0-9]{34}", b"PMAK-"),
)
