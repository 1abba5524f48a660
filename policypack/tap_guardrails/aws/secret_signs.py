"""What a secret looks like by itself: the forms that issuers give to theirs, and what is as random as one.

Every pattern takes time linear in the text's length, however long it is, but for a bounded factor.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final

PATTERNS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    (
        "a private key",
        re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY|AGE-SECRET-KEY-1[A-Z0-9]{20}|PuTTY-User-Key"),
    ),
    (
        "an AWS access key",
        re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16}(?![A-Za-z0-9])"),
    ),
    ("a GitHub token", re.compile(r"\bgh[opsur]_[A-Za-z0-9]{36}|\bgithub_pat_[A-Za-z0-9_]{22}")),
    (
        "a GitLab token",
        re.compile(
            r"\bgl(?:pat|dt|rt|cbt|ptt|ft|imt|soat|agent|oas)-[A-Za-z0-9_-]{20}|\bGR1348941[A-Za-z0-9_-]{20}"
        ),
    ),
    (
        "a Slack token",
        re.compile(r"\bx(?:ox[abeoprs]|app)-[A-Za-z0-9-]{10}|hooks\.slack\.com/(?:services|workflows)/[TA]"),
    ),
    ("a Discord token", re.compile(r"\b[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27}")),
    ("a webhook", re.compile(r"discord(?:app)?\.com/api/webhooks/\d|\.webhook\.office\.com/webhookb2/")),
    ("a Stripe key", re.compile(r"\b(?:[rs]k_(?:live|test)|whsec)_[A-Za-z0-9]{16}")),
    (
        "a Google key",
        re.compile(r"\bAIza[A-Za-z0-9_-]{35}|\bGOCSPX-[A-Za-z0-9_-]{20}|\bya29\.[A-Za-z0-9_-]{20}"),
    ),
    ("a SendGrid key", re.compile(r"\bSG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16}")),
    ("a Mailchimp key", re.compile(r"\b[0-9a-f]{32}-us[0-9]{1,2}\b")),
    ("a Mailgun key", re.compile(r"\bkey-[0-9a-f]{32}\b")),
    ("a Twilio key", re.compile(r"\bSK[0-9a-f]{32}\b")),
    ("a Telegram token", re.compile(r"\b[0-9]{8,10}:[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])")),
    ("a Square token", re.compile(r"\bsq0(?:csp|atp)-[A-Za-z0-9_-]{22}|\bEAAA[A-Za-z0-9_-]{60}")),
    ("an API key", re.compile(r"(?<![A-Za-z0-9])sk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{20}")),
    (
        "an npm or PyPI token",
        re.compile(r"\bnpm_[A-Za-z0-9]{36}|\bpypi-[A-Za-z0-9_-]{50}|_authToken=[^\s$]{8}"),
    ),
    ("a Pulumi access token", re.compile(r"\bpul-[0-9a-f]{40}")),
    (
        "a vendor's token",
        re.compile(
            r"\b(?:hf|dop_v1|doo_v1|dor_v1|shpat|shpss|shpca|shppa|glsa|glc|lin_api|lin_oauth|ntn|sbp|sntrys|sntryu|phx"
            r"|rubygems|dckr_pat|pscale_tkn|pscale_pw|pscale_oauth|fly|vercel|rdme|tfp|nfp|ATATT3|ATCTT3|dnkey|r8)"
            r"_?[A-Za-z0-9=_-]{20}"
            r"|\bAKC[A-Za-z0-9]{10}|\bAP[0-9][A-Za-z0-9]{10}\b|\bNR(?:AK|II|JS)-[A-Za-z0-9]{20}|\bdapi[0-9a-f]{32}|\bHRKU-[A-Za-z0-9_-]{20}"
            r"|\bPMAK-[0-9a-f]{24}|\bdp\.(?:pt|st|ct)\.[A-Za-z0-9]{20}|\bhv[sbr]\.[A-Za-z0-9_-]{20}"
            r"|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{20}|\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}|\bxai-[A-Za-z0-9]{40}"
            r"|\bsecret_[A-Za-z0-9]{43}\b|\bgsk_[A-Za-z0-9]{40}|\bbkua_[0-9a-f]{40}|\bCCIPAT_[A-Za-z0-9_]{20}"
        ),
    ),
    (
        "a JSON web token",
        re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,2048}\.eyJ[A-Za-z0-9_-]{8,2048}"),
    ),
    ("a URL with a password", re.compile(r"://[^\s:/@{}$<\"']{0,256}:[^\s/@{}$<*\"'][^\s/{}<\"']{0,255}@")),
    (
        "a URL with a signature or token",
        re.compile(
            r"(?i)[?&](?:sig|signature|x-amz-signature|access_token|api_?key|token|password|secret|client_secret)"
            r"=[^\s&{}$<]{6}"
        ),
    ),
    (
        "a connection string with a password",
        re.compile(
            r"(?i)\b(?:password|pwd|passwd|accountkey|sharedaccesskey|sharedsecretvalue|sharedaccesssignature)"
            r"\s{0,4}=\s{0,4}['\"]?(?=[^;\s'\"]{0,64}[A-Za-z0-9])[^;\s{}$<*'\"%][^;\s{}$<*]{2}"
        ),
    ),
    (
        "an authorization header",
        re.compile(
            r"(?i)\b(?:bearer|basic|token|apikey)\s{1,4}(?=[A-Za-z_+/=.-]{0,300}[0-9])[A-Za-z0-9_+/=.-]{16}"
        ),
    ),
)
"""What common secrets look like; each issuer documents its prefix."""

MADE_PUBLIC: Final = re.compile(
    r"pk_(?:live|test)_\S*|pk\.ey\S*|-----BEGIN (?:CERTIFICATE|[A-Z ]{0,20}PUBLIC KEY)[\s\S]*"
    r"|ssh-(?:rsa|ed25519|dss) \S*.*|ecdsa-sha2-\S* \S*.*|age1[a-z0-9]{50,}|sb_publishable_\S*"
    r"|6L[A-Za-z0-9_-]{38}"
)
"""Keys that are made to be shown: publishable keys, certificates, public keys."""

WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

RANDOM: Final = re.compile(r"[A-Za-z0-9+/_-]{24,128}={0,2}")
RANDOM_BITS: Final = 3.8
"""Bits a character from which on a text may be random: 24 random characters of base64 have 4.2."""
RANDOM_RUN: Final = 2.3
"""Characters a run of one sort (a capital may begin a word) up to which a text may be random.

Random base64 has 1.9, and nine times in ten no more than this; names in mixed case have 3 and more.
"""

GENERATED_NAME: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*-(?:[A-Z0-9]{12,13}|[A-Za-z0-9]{12}|[0-9a-f]{7,8})"
)
"""A physical name as CloudFormation, the CDK and Pulumi make them: words, then a dozen characters.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html
"""

KEY_MATERIAL: Final = re.compile(r"[A-Za-z0-9+/_.~-]{12,512}={0,2}")
KEY_BITS: Final = 3.0


def looks_like(text: str) -> str:
    """Say which sort of secret a text looks like; nothing when it looks like none."""
    return next((title for title, pattern in PATTERNS if pattern.search(text)), "")


def made_public(text: str) -> bool:
    """Tell whether a text is a key that is made to be shown."""
    return MADE_PUBLIC.fullmatch(text.strip()) is not None


def looks_random(text: str, longest_run: float = RANDOM_RUN) -> bool:
    """Tell whether a text is as random as a generated secret: long, of all sorts of characters, no words."""
    if not RANDOM.fullmatch(text) or is_generated_name(text):
        return False
    sorts = (str.isupper, str.islower, str.isdigit)
    mixed = all(any(is_sort(character) for character in text) for is_sort in sorts)
    return mixed and bits(text) >= RANDOM_BITS and len(text) <= longest_run * len(WORD.findall(text))


def is_generated_name(text: str) -> bool:
    """Tell whether a text is a name that was given to a resource: words before what makes it unique."""
    match = GENERATED_NAME.fullmatch(text)
    if match is None:
        return False
    first = re.split(r"[-_]", text, maxsplit=1)[0]
    return len(first) <= RANDOM_RUN * 2 or len(first) > RANDOM_RUN * len(WORD.findall(first))


def looks_generated(text: str) -> bool:
    """Tell whether a text may be key material: letters and digits without much of a pattern, and no words."""
    if not KEY_MATERIAL.fullmatch(text) or is_generated_name(text):
        return False
    digits = sum(map(str.isdigit, text))
    return 0 < digits < len(text) and bits(text) >= KEY_BITS and len(text) <= 4.5 * len(WORD.findall(text))


def bits(text: str) -> float:
    """Return Shannon's entropy of a text, in bits a character."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())
