"""What a secret looks like and what it is called, and what may stand under such a name without being one.

A name is taken apart into words. Which of them make it a secret's, and which make it of something *about* a
secret, are closed lists of the field's words; everything else is a matter of the value. Every pattern takes
time linear in the text's length, however long it is, but for a bounded factor.
"""

from __future__ import annotations

import enum
import math
import re
from collections import Counter
from itertools import pairwise
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
            r"\b(?:gl(?:pat|dt|rt|cbt|ft|soat)-|GR1348941)[A-Za-z0-9_-]{20,50}(?![\w-])"
            r"|\bgl(?:imt-[A-Za-z0-9_-]{25}|ptt-[A-Za-z0-9_-]{40}|oas-[A-Za-z0-9_-]{64})(?![\w-])"
            r"|\bglagent-[A-Za-z0-9_-]{50,1024}(?![\w-])"
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
"""Characters a run of one class (a capital may begin a word) up to which a text may be random.

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
    """Say which type of secret a text looks like; nothing when it looks like none."""
    return next((title for title, pattern in PATTERNS if pattern.search(text)), "")


def made_public(text: str) -> bool:
    """Tell whether a text is a key that is made to be shown."""
    return MADE_PUBLIC.fullmatch(text.strip()) is not None


def looks_random(text: str, longest_run: float = RANDOM_RUN) -> bool:
    """Tell whether a text is as random as a generated secret: long, of all character classes, no words."""
    if not RANDOM.fullmatch(text) or is_generated_name(text):
        return False
    classes = (str.isupper, str.islower, str.isdigit)
    mixed = all(any(is_of_class(character) for character in text) for is_of_class in classes)
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


class Hint(enum.Enum):
    """How much a name says of a value."""

    NONE = 0
    """It is not a secret's."""

    WEAK = 1
    """It is that of key material, or of something else."""

    STRONG = 2
    """It is a secret's."""

    PASSWORD = 3
    """It is a password's, which may be a mere number."""


def several(listed: str) -> frozenset[str]:
    """Make a set of the words of a text."""
    return frozenset(listed.split())


PASSWORDS: Final = several("passcode passphrase passwd password passwords passwort pass pin pswd psw pw pwd")
SECRETS: Final = several(
    "accesskey apikey authkey authtoken bearer cred credential credentials creds deploykey encryptionkey "
    "jwt masterkey mnemonic pat privatekey privkey secret secretkey secrets sharedkey signingkey token"
)
NAMED_ELSEWHERE: Final = several("cred credential credentials creds secret secrets")
"""Words that a name often has whose value only says which secret is meant."""

WEAK: Final = several("auth cookie key license licence nonce pepper salt seed session signature")

KEY_WORDS: Final = several(
    "access account admin api app application auth cipher client consumer crypto deploy enc encryption "
    "hmac ingest ingestion integration jwt license licence master private rsa secret server service "
    "session shared signing routing ssh storage subscription symmetric webhook write"
)
"""What makes a `key` a secret when it comes before it."""

ENDINGS: Final = (
    "password", "passphrase", "passwd", "passcode", "secret", "secrets", "token", "apikey", "privatekey",
    "secretkey", "accesskey", "credentials", "credential", "creds", "pwd", "pass", "key", "auth",
)  # fmt: skip
"""What a word written in one may end with: `PGPASSWORD`, `dbpass`."""

NO_ENDING: Final = several(
    "bypass compass encompass hotkey keypass monkey overpass surpass trespass turkey underpass"
)
"""Words that only seem to end so."""

CONNECTION_WORDS: Final = frozenset(
    {"connection", "database", "db", "dsn", "jdbc", "mongo", "mongodb", "redis"}
)
CONNECTION_ENDS: Final = frozenset({"dsn", "string", "uri", "url"})
"""Such a name is of a text that may have a password in it, and need not."""

ABOUT: Final = several(
    "age alg algo algorithm alias allowed alphabet arn arns attempts attribute audience backend bucket "
    "budget burst cache charset claim class column config configuration cost count curve date day days "
    "debug default description dir directory disabled domain duration email enabled encoding endpoint env "
    "environment exp expiration expires expiry factory family field file filename flag folder format "
    "function group grace handler hash header hint host hostname hour hours id ids image in index ini "
    "interval issuer iterations keypair kid kind label lambda leeway length level lifetime limit link "
    "location log logging lookup manager max message method millis min minimum maximum minutes mode model "
    "module months ms name names namespace number offset operator origin output owner page pair parameter "
    "params path pattern period plugin policy pool port prefix profile prompt provider queue quota rate "
    "ref reference regex region renewal required reset resolver retries retry role rotation rounds rule "
    "schedule schema scope scopes seconds separator service size source stage state status step store "
    "strategy strength subject suffix table tag template tenant text threshold timeout timestamp title "
    "topic transport ttl type ui unit uri url urls usage use user username users validation validator "
    "verifier version vault window workflow year years zone"
)
"""A name that ends so is of something about a secret, or of where to find it."""

ENCODINGS: Final = several("b encoded hex plain plaintext raw value")
"""A name may end with how the value is written: `TOKEN_VALUE`, `KEY_HEX`, `PASSWORD_B64`."""

MAY_BE_TOLD: Final = several("banner certificate chain content context notes pem principal schema")
"""What a schema marks secret for the sake of some values of it."""

PUBLIC: Final = several("anon public publishable pub site")
"""A key with such a word is made to be shown."""

PAGING: Final = frozenset(
    ["after", "before", "continuation", "cursor", "next", "page", "pagination", "previous", "resume", "sync"]
)
"""Such tokens say where a list goes on."""

COUNTED: Final = several("cached completion input max min output reasoning total prompt")
"""A token after such a word is a piece of text that a model reads."""

NEGATIONS: Final = several("no non not")

IDENTITY: Final = several(
    "arn arns bucket checksum commit digest etag fingerprint hash id ids image md5 ref revision sha sha1 "
    "sha256 uuid version"
)
"""What a name that ends so has for a value may be as random as a secret."""

REFERENCE: Final = re.compile(
    r"arn:.*|/.*|\.{1,2}/.*|~/.*|[A-Za-z]:\\.*|alias/.*|(?:https?|file|s3|gs|op|vault|awskms|gcpkms)://.*"
    r"|\{\{.*\}\}|(?:ssm|secretsmanager|secretmanager|vault|kms|env|sops|keyvault|parameter|ref|aws-kms)[:/].*"
    r"|projects/.*|rds!.*|\$.*|%\w+%|%[sdvq]|@\w+\(.*|<[^>]*>|\[[^\]]*\]|x-[a-z-]+|AWS(?:CURRENT|PENDING|PREVIOUS)"
    r"|[\w.~/-]{1,200}\.(?:json|ya?ml|pem|key|crt|cer|p12|pfx|jks|txt|env|ini|conf|toml|properties|xml|asc|gpg|pub|sh|py"
    r"|js|ts|mustache|html|md)",
    re.DOTALL | re.IGNORECASE,
)
"""Where to find a secret, which may be told."""

NAMED: Final = re.compile(r"[a-z][a-z-]*[0-9]{0,3}(?:/[a-z][a-z_-]*[0-9]{0,3})+", re.IGNORECASE)
"""The name of a secret or a parameter: words with slashes between them."""

KEPT_UNDER: Final = re.compile(
    r"(?:[a-z0-9]{1,12}[._-]){0,6}(?:secrets?|credentials?|creds|password|token|keys?)(?:[._-][a-z0-9]{1,12}){0,4}"
)
"""The name of a secret that says itself that it is one."""

ALGORITHM: Final = re.compile(
    r"(?i)(?:h|r|e|p)s(?:256|384|512)k?|eddsa|ed25519|(?:hmac[-_]?)?(?:sha|md)-?\d{1,3}(?:[-_/]\d{3})?|none"
    r"|aes[-_]?(?:128|192|256)?(?:[-_](?:gcm|cbc|ctr|kw|siv|ccm|ecb))?|rsa(?:[-_]?(?:oaep|pss|pkcs1))?(?:[-_]?\d{3,4})?"
    r"|chacha20(?:[-_]poly1305)?|argon2(?:id|i|d)?|bcrypt|s?crypt|pbkdf2(?:[-_]\w+)?|ecdsa(?:[-_]?p?\d{3})?|dir|a256gcm"
)

ENUMERATED: Final = re.compile(
    r"(?i)true|false|yes|no|on|off|none|null|nil|undefined|n/?a|enabled?|disabled?|required|optional|auto(?:matic)?"
    r"|managed|generated?|random|default|manual|custom|basic|bearer|digest|oauth2?|oidc|saml|jwt|opaque|api[-_]?key"
    r"|header|query|cookie|session|body|file|env(?:ironment)?|vault|ssm|kms|iam|sts|secrets?[-_]?manager|parameter[-_]?store"
    r"|keychain|keyring|hashed|encrypted|plain(?:text)?|prompt|redacted|masked|hidden|strict|lax|strong|weak|rotate[ds]?"
    r"|str(?:ing)?|int(?:eger)?|bool(?:ean)?|bytes|text|number|object|any|self|this|undef|todo|tbd|empty|unset|unused"
    r"|x{3,}|\*{3,}|\.{3,}|-+|_+"
)
"""Words that a setting about a secret takes."""

TOKEN_TYPE: Final = re.compile(r"(?i)access|refresh|id|user|admin|service|machine|client|session|bot|app")
"""Sorts of tokens and keys; a password may be such a word."""

UUID: Final = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

DURATION: Final = re.compile(
    r"(?i)P(?=[0-9T])(?:\d+[YMWD])*(?:T(?:\d+[HMS])+)?|\d+(?:\.\d+)?\s?(?:ms|s|secs?|seconds?|m|mins?"
    r"|minutes?|h|hours?|d|days?|w|weeks?|months?|y|years?|b|kb|mb|gb|%)"
)
TO_FILL_IN: Final = re.compile(
    r"(?i)(?:your|insert|enter|replace|add|put)[\s_-].*|.*[\s_-]here|.*(?:fake|dummy|placeholder).*"
)
"""What someone still has to replace, or says itself that it is none."""

NUMBER: Final = re.compile(r"[+-]?[0-9.,_]*")
SHORTEST_PIN: Final = 4
LONGEST_COUNT: Final = 11
"""Digits up to which a number is a count or a time rather than a secret."""


def words(name: str) -> list[str]:
    """Take a name apart: `DB_PASSWORD`, `dbPassword` and `DBPASSWORD` are `db` and `password`."""
    return [part for word in WORD.findall(name) for part in parts(word.casefold())]


def parts(word: str) -> tuple[str, ...]:
    """Take a word apart that ends like a secret's."""
    if word in NO_ENDING or word in PASSWORDS or word in SECRETS:
        return (word,)
    for ending in ENDINGS:
        if len(word) >= len(ending) + 2 and word.endswith(ending):
            return (*parts(word.removesuffix(ending)), ending)
    return (word,)


def hint_of(name: str) -> Hint:
    """Tell how much a name says of a value."""
    found = words(name)
    while found and (found[-1].isdigit() or found[-1] in ENCODINGS):
        found.pop()
    if not found or found[-1] in ABOUT or not PUBLIC.isdisjoint(found):
        return Hint.NONE
    if any(word in ("token", "tokens") and before in PAGING | COUNTED for before, word in pairwise(found)):
        return Hint.NONE
    if not PASSWORDS.isdisjoint(found):
        return Hint.PASSWORD
    if any(before in NEGATIONS and word in SECRETS for before, word in pairwise(found)):
        return Hint.NONE
    keys = any(word == "key" and before in KEY_WORDS for before, word in pairwise(found))
    if keys or not SECRETS.isdisjoint(found):
        return Hint.STRONG
    return Hint.NONE if WEAK.isdisjoint(found) else Hint.WEAK


def names_a_secret(name: str) -> bool:
    """Tell whether a name is that of a secret, whatever its value."""
    return hint_of(name) in (Hint.STRONG, Hint.PASSWORD)


def is_about_a_secret(name: str) -> bool:
    """Tell whether a property that a schema marks secret holds no secret by its name, or not always."""
    found = words(name)
    return bool(found) and found[-1] in ABOUT | MAY_BE_TOLD


def names_a_connection(name: str) -> bool:
    """Tell whether a name is that of a text that may have a password in it."""
    found = words(name)
    return bool(found) and found[-1] in CONNECTION_ENDS and not CONNECTION_WORDS.isdisjoint(found)


def names_an_identity(name: str) -> bool:
    """Tell whether a name is that of something that may be as random as a secret, and is none."""
    found = words(name)
    return bool(found) and (found[-1] in IDENTITY or not PUBLIC.isdisjoint(found))


def secret_by_name(name: str, text: str) -> bool:
    """Tell whether a value is a secret, by what it is called and by what may stand there instead."""
    hint = hint_of(name)
    if hint is Hint.NONE or made_public(text):
        return False
    if hint is Hint.WEAK:
        return looks_generated(text) and may_be_secret(text) and not UUID.fullmatch(text)
    if not NAMED_ELSEWHERE.isdisjoint(words(name)) and KEPT_UNDER.fullmatch(text):
        return False
    return may_be_secret(text, password=hint is Hint.PASSWORD)


def may_be_secret(text: str, *, password: bool = False) -> bool:
    """Tell whether a text may be a secret: it is no word of a setting, no number and no reference to one."""
    stripped = text.strip().strip("'\"")
    if NUMBER.fullmatch(stripped):
        least = SHORTEST_PIN if password else LONGEST_COUNT + 1
        return stripped.isdigit() and len(stripped) >= least
    if not password and TOKEN_TYPE.fullmatch(stripped):
        return False
    harmless = (REFERENCE, NAMED, ALGORITHM, ENUMERATED, DURATION, TO_FILL_IN)
    return not any(pattern.fullmatch(stripped) for pattern in harmless)
