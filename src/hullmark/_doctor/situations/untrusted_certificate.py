"""A certificate is signed by an authority that is not trusted.

What it looks like
    `x509: certificate signed by unknown authority`, `CERTIFICATE_VERIFY_FAILED`, `SELF_SIGNED_CERT_IN_CHAIN`, `unable
    to get local issuer certificate`, `SSL certificate problem: self-signed certificate in certificate chain`.

Why it happens
    A proxy of the company intercepts TLS and signs with an authority of its own, which this host trusts and a base
    image does not; or the server has a self-signed certificate, or the image has no certificates at all
    (`ca-certificates` is not installed).

What to do
    Hand the host's certificates to the build as a secret: nothing of it stays in the image. Never switch verification
    off.

        RUN --mount=type=secret,id=ca,target=/run/secrets/ca.pem PIP_CERT=/run/secrets/ca.pem pip install -r requirements.txt

    In the Compose file, `secrets` of `build` names it. For pulls, the certificate belongs below
    `/etc/docker/certs.d`, or into the store of the host that the engine runs on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a certificate is signed by an authority that is not trusted",
    patterns=(
        r"(?P<tool>x509): certificate signed by unknown authority",
        r"(?P<tool>x509): (?:certificate is not trusted|cannot verify|certificate relies on|certificate is valid for)[^\n]*",
        r"(?P<code>CERTIFICATE_VERIFY_FAILED)",
        r"(?P<code>SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|UNABLE_TO_VERIFY_LEAF_SIGNATURE|DEPTH_ZERO_SELF_SIGNED_CERT)",
        r"SSL certificate problem: (?P<reason>[^\n]+)",
        r"server certificate verification failed",
        r"Certificate verification failed: The certificate is NOT trusted",
        r"invalid peer certificate: UnknownIssuer",
        r"(?:self[- ]signed certificate in certificate chain|unable to get local issuer certificate)",
    ),
    once=True,
    since="0.1",
)
def untrusted_certificate(symptom: Symptom) -> Advice | None:
    step = symptom.step is not None and "internal" not in (symptom.step or "")
    return Advice(
        cause="whoever answered shows a certificate of an authority that is not trusted there; a proxy that intercepts TLS does so",
        remedies=(
            Remedy(
                text="hand the certificates of this host to the step as a secret, and name them to the program: PIP_CERT, SSL_CERT_FILE, NODE_EXTRA_CA_CERTS, CURL_CA_BUNDLE, GIT_SSL_CAINFO",
                command=("docker", "build", "--secret", "id=ca,src=/etc/ssl/certs/ca-certificates.crt", "."),
            ),
            *(
                ()
                if step
                else (
                    Remedy(
                        text="for pulls and remote sources, add the authority to the host that the engine runs on, and restart the engine"
                    ),
                )
            ),
            Remedy(
                text="where the image has no certificates at all, install `ca-certificates` in that stage"
            ),
        ),
    )
