"""What secrets look like: names of files, and patterns in text. Data, no behaviour."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

_KEY = "a private key"
_KEY_STORE = "a key store"
_LOGIN = "stored logins"
_CLOUD = "cloud credentials"
_HISTORY = "a shell's history"

FILE_NAMES: Mapping[str, str] = {
    "id_rsa": _KEY,
    "id_dsa": _KEY,
    "id_ecdsa": _KEY,
    "id_ed25519": _KEY,
    "id_ecdsa_sk": _KEY,
    "id_ed25519_sk": _KEY,
    "*.ppk": _KEY,
    "*.p12": _KEY_STORE,
    "*.pfx": _KEY_STORE,
    "*.jks": _KEY_STORE,
    "*.keystore": _KEY_STORE,
    "*.kdbx": _KEY_STORE,
    ".env": "environment variables",
    ".env.*": "environment variables",
    ".envrc": "environment variables",
    "*.env": "environment variables",
    ".netrc": _LOGIN,
    "_netrc": _LOGIN,
    ".pypirc": _LOGIN,
    ".npmrc": _LOGIN,
    ".yarnrc.yml": _LOGIN,
    ".git-credentials": _LOGIN,
    ".htpasswd": _LOGIN,
    ".pgpass": _LOGIN,
    "pgpass.conf": _LOGIN,
    ".my.cnf": _LOGIN,
    ".dockercfg": _LOGIN,
    ".vault-token": _LOGIN,
    ".boto": _CLOUD,
    ".s3cfg": _CLOUD,
    "credentials.json": _CLOUD,
    "credentials.csv": _CLOUD,
    "client_secret*.json": _CLOUD,
    "service-account*.json": _CLOUD,
    "service_account*.json": _CLOUD,
    "serviceaccount*.json": _CLOUD,
    "application_default_credentials.json": _CLOUD,
    "accesskeys.csv": _CLOUD,
    "*_accesskeys.csv": _CLOUD,
    "kaggle.json": _LOGIN,
    "kubeconfig": "access to a cluster",
    "*.kubeconfig": "access to a cluster",
    "kubeconfig.y*ml": "access to a cluster",
    "secret_key.json": "a secret key",
    "secret-key.json": "a secret key",
    "secret.json": "secrets",
    "secrets.json": "secrets",
    "secrets.y*ml": "secrets",
    "secrets.toml": "secrets",
    "*.tfstate": "the state of an infrastructure",
    "*.ovpn": "access to a network",
    ".bash_history": _HISTORY,
    ".zsh_history": _HISTORY,
    ".python_history": _HISTORY,
    ".psql_history": _HISTORY,
}
"""Names in lower case, as patterns, and what such a file holds."""

HARMLESS_NAMES = (
    ".env.example",
    ".env.sample",
    ".env.template",
    ".env.dist",
    ".env.defaults",
    "example.env",
    "sample.env",
    "template.env",
)

PATHS: Mapping[str, str] = {
    ".aws/credentials": _CLOUD,
    ".azure/accesstokens.json": _CLOUD,
    ".azure/msal_token_cache.json": _CLOUD,
    ".config/gcloud/credentials.db": _CLOUD,
    ".docker/config.json": _LOGIN,
    ".kube/config": "access to a cluster",
    ".huggingface/token": "a Hugging Face token",
    "huggingface/token": "a Hugging Face token",
}
"""The last two names of a path, where one alone would say too little."""

KEY_FILES = (".pem", ".key", ".der", ".pk8")
"""Suffixes of files that hold either keys or public certificates: their content decides."""


_WORDS_BEFORE = {"aws", "accountkey", "sharedaccesskey", "bearer", "wallaroo_password"}
"""Hints that stand before the secret, not in it."""


@dataclass(frozen=True)
class Pattern:
    """A secret in text.

    `hints`: lower-case words, one of which a text must hold before the regex
    `source` is tried. Its group `value`, where it has one, is the secret itself, which
    must look random: at least `entropy` bits a character, and no placeholder.
    """

    kind: str
    hints: tuple[str, ...]
    source: str
    entropy: float = 0.0

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """Compiled when the first text holds a hint: most never do."""
        return re.compile(self.source)

    @cached_property
    def in_token(self) -> bool:
        """Whether the hints are part of the token itself, without a space."""
        return all(re.fullmatch("[a-z0-9_/+-]+", hint) for hint in self.hints) and self.hints[0] not in _WORDS_BEFORE


def _pattern(kind: str, hints: str, regex: str, entropy: float = 0.0) -> Pattern:
    return Pattern(kind, tuple(hints.split("|")), regex, entropy)


_EDGE = r"(?<![A-Za-z0-9_-])"
_END = r"(?![A-Za-z0-9_-])"
_EDGE64 = r"(?<![A-Za-z0-9_/+-])"
_END64 = r"(?![A-Za-z0-9_/+=-])"

PATTERNS = (
    _pattern(
        _KEY,
        "private key",
        # The armour, optional headers, then enough base64 to be a key; newlines may be escaped, as in JSON.
        r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        r"""(?:\s|\\+[rn]|["'+,])*(?:[A-Z][A-Za-z-]{2,20}: [^\n\\]{0,200}(?:\s|\\+[rn]|["'+,])+)*"""
        r"(?P<value>[A-Za-z0-9+/]{32,})",
        3.0,
    ),
    _pattern("a PuTTY private key", "putty-user-key-file", r"PuTTY-User-Key-File-[123]: \S+\s+Encryption: "),
    _pattern(
        "an age private key", "age-secret-key", r"AGE-SECRET-KEY-1(?P<value>[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58})"
    ),
    _pattern("an AWS access key", "akia|asia", _EDGE64 + r"(?P<value>(?:AKIA|ASIA)[A-Z2-7]{16})" + _END64, 3.0),
    _pattern(
        "an AWS secret key",
        "aws",
        r"(?i:aws.{0,20}?(?:secret|sk).{0,20}?)[\s=:>\"'\\]{1,8}(?P<value>[A-Za-z0-9/+]{40})" + _END64,
        4.0,
    ),
    _pattern("a Google API key", "aiza", _EDGE64 + r"(?P<value>AIza[0-9A-Za-z_-]{35})" + _END64, 3.5),
    _pattern("a Google OAuth secret", "gocspx-", _EDGE + r"(?P<value>GOCSPX-[0-9A-Za-z_-]{28})" + _END, 3.5),
    _pattern("a Google access token", "ya29.", _EDGE + r"(?P<value>ya29\.[0-9A-Za-z_-]{40,})", 3.5),
    _pattern("an Azure storage key", "accountkey", r"(?i:AccountKey)\s*=\s*(?P<value>[A-Za-z0-9+/]{86}==)", 4.0),
    _pattern(
        "an Azure access key", "sharedaccesskey", r"(?i:SharedAccessKey)\s*=\s*(?P<value>[A-Za-z0-9+/]{43}=)", 4.0
    ),
    _pattern(
        "an Azure access signature",
        "sig=",
        r"[?&](?:sv|se|sp|sr)=[^\s\"'<>]{0,400}?&sig=(?P<value>[A-Za-z0-9%/+]{43,90})",
        3.5,
    ),
    _pattern(
        "an Azure client secret",
        "q~",
        _EDGE + r"(?P<value>[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34})(?![A-Za-z0-9_~.-])",
        3.5,
    ),
    _pattern(
        "a GitHub token", "ghp_|gho_|ghu_|ghs_|ghr_", _EDGE + r"gh[pousr]_(?P<value>[A-Za-z0-9]{36,255})" + _END, 3.0
    ),
    _pattern("a GitHub token", "github_pat_", _EDGE + r"github_pat_(?P<value>[A-Za-z0-9]{22}_[A-Za-z0-9]{59})", 3.5),
    _pattern(
        "a GitLab token",
        "glpat-|glptt-|gldt-|glrt-|glcbt-",
        _EDGE + r"gl(?:pat|ptt|dt|rt|cbt)-(?P<value>[A-Za-z0-9_.-]{20,})",
        3.0,
    ),
    _pattern("a Slack token", "xox|xapp-", _EDGE + r"(?:xox[abeoprs]|xapp)-(?P<value>[0-9A-Za-z-]{20,})", 3.0),
    _pattern(
        "a Slack webhook",
        "hooks.slack.com",
        r"hooks\.slack\.com/(?:services|workflows)/(?P<value>[A-Z0-9]{8,}/[A-Z0-9]{8,}/[A-Za-z0-9]{20,})",
        3.0,
    ),
    _pattern("a Hugging Face token", "hf_", _EDGE + r"hf_(?P<value>[A-Za-z0-9]{34,40})" + _END, 3.5),
    _pattern("a Hugging Face token", "api_org_", _EDGE + r"api_org_(?P<value>[A-Za-z0-9]{34})" + _END, 3.5),
    _pattern("an OpenAI key", "sk-", _EDGE + r"sk-(?:proj|svcacct|admin|None)-(?P<value>[A-Za-z0-9_-]{40,})", 4.0),
    _pattern("an OpenAI key", "sk-", _EDGE + r"sk-(?P<value>[A-Za-z0-9]{48})" + _END, 4.0),
    _pattern("an Anthropic key", "sk-ant-", _EDGE + r"sk-ant-[a-z]{2,8}\d\d-(?P<value>[A-Za-z0-9_-]{40,})", 4.0),
    _pattern("a Groq key", "gsk_", _EDGE + r"gsk_(?P<value>[A-Za-z0-9]{52})" + _END, 3.5),
    _pattern("a Replicate token", "r8_", _EDGE + r"r8_(?P<value>[A-Za-z0-9]{37})" + _END, 3.5),
    _pattern("a Databricks token", "dapi", _EDGE + r"dapi(?P<value>[0-9a-f]{32})(?:-\d)?" + _END, 3.0),
    _pattern("a PyPI token", "pypi-", _EDGE + r"pypi-AgE(?P<value>[A-Za-z0-9_-]{50,})", 3.5),
    _pattern("an npm token", "npm_", _EDGE + r"npm_(?P<value>[A-Za-z0-9]{36})" + _END, 3.5),
    _pattern("a Stripe key", "k_live_", _EDGE + r"[rs]k_live_(?P<value>[0-9A-Za-z]{24,})", 3.5),
    _pattern("a SendGrid key", "sg.", _EDGE + r"SG\.(?P<value>[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43})" + _END, 4.0),
    _pattern(
        "a DigitalOcean token",
        "do_v1_|dop_v1_|doo_v1_|dor_v1_",
        _EDGE + r"do[opr]_v1_(?P<value>[a-f0-9]{64})" + _END,
        3.0,
    ),
    _pattern("a HashiCorp Vault token", "hvs.|hvb.", _EDGE + r"hv[sb]\.(?P<value>[A-Za-z0-9_-]{24,})", 3.5),
    _pattern(
        "a signed web token (JWT)",
        "eyj",
        _EDGE + r"eyJ[A-Za-z0-9_-]{14,}\.eyJ[A-Za-z0-9_-]{10,}\.(?P<value>[A-Za-z0-9_-]{32,})",
        4.0,
    ),
    _pattern(
        "a bearer token",
        "bearer",
        r"(?i:authorization)\W{1,10}(?i:bearer)\s{1,3}(?P<value>[A-Za-z0-9_.~+/=-]{20,})",
        3.8,
    ),
)
"""Tokens that their own form gives away."""

TOKEN_LENGTH = 20
"""No token is shorter: hints that are part of a token are looked for in words of this length only."""

SHORT_PATTERNS = (
    _pattern(
        "an address with a password",
        "://",
        r"://(?<=[A-Za-z0-9]://)(?P<user>[^\s:/?#@\"'<>\\{}]{0,100}):(?P<value>[^\s/?#@\"'<>\\]{3,200})@[\w\[]",
    ),
    _pattern(
        "a Wallaroo password",
        "wallaroo_password",
        r"WALLAROO_PASSWORD\s{0,5}=\s{0,5}(?P<value>(?!os\.|getpass|self\.|input)[^\s\"'\\,;()]{4,100})",
    ),
)
"""Secrets of any length."""

PASSWORD_ROOTS = ("password", "passwd", "passphrase", "pwd")
TOKEN_ROOTS = ("secret", "token", "credential", "key")
"""What a name ends in whose value may be a secret, in lower case."""

BEFORE_KEY = re.compile(r"(?:api|access|auth|private|account|secret|signing|encryption)[_-]?\Z")
"""What stands before `key` where it is one of that kind."""

KEY_REACH = 12
"""As many characters as `BEFORE_KEY` may need."""

QUOTED_VALUE = re.compile(
    # name = "value", "name": "value", name: str = "value"; quotes may be escaped, as in notebooks.
    r"""(?:[_-]?[iI][dD]|[sS])?(?:\\?["'])?\]?\s{0,20}(?::\s{0,5}[A-Za-z_.\[\]| ]{1,40}=|:=|=>|==?|:)\s{0,20}"""
    r"""[rbufRBUF]{0,2}(?P<quote>\\?["'])(?P<value>[^"'\\\n]{1,500})(?P=quote)"""
)

BARE_NAME = re.compile(r"[ \t]*(?:export[ \t]+|set[ \t]+|ENV[ \t]+|ARG[ \t]+|-[ \t]+)?[A-Za-z0-9_.-]{0,60}\Z")
BARE_VALUE = re.compile(
    # The rest of a settings file's line: NAME=value, name: value.
    r"""(?m)(?:[_-]?[iI][dD]|[sS])?[ \t]*[=:][ \t]*(?P<value>[^\s"';,<>(){}\[\]]{1,500})[ \t]*(?:[#;].*)?$"""
)
BARE_REACH = 100
"""As many characters as `BARE_NAME` may need."""

SETTINGS_SUFFIXES = frozenset(
    {
        "",
        ".bat",
        ".cfg",
        ".cmd",
        ".conf",
        ".config",
        ".env",
        ".example",
        ".ini",
        ".properties",
        ".ps1",
        ".sample",
        ".sh",
        ".template",
        ".toml",
        ".yaml",
        ".yml",
    }
)
"""Files in which a value needs no quotes."""

_WORDS = (
    r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|key|api[_-]?key|credential|change|replace|insert|placeholder|redacted"
    r"|dummy|example|sample|fake|your|todo|fixme|super|my|me|this|here|the|some|value|test|enter|foo|bar|xyz|user|db)"
)

PLACEHOLDER = re.compile(
    r"(?i)\A(?:"
    r"[<\[{(].*"  # <token>, [SECRET], {password}
    r"|\$[a-z_{(].*|%\w+%|%\(.*"  # ${TOKEN}, $(cat token), %TOKEN%
    r"|.*(?:\$\{|\{\{|<[a-z_ -]+>|%\().*"
    r"|(.)\1*"  # xxxx, ****
    r"|.*(?:x{4}|\*{3}|\.{3}|…|0{6}|_{4}).*"
    rf"|(?:[a-z]{{1,12}}[-_. ])?(?:{_WORDS}[-_. ]?)+s?\d{{0,12}}[!?.]?"
    r"|none|null|nil|true|false|yes|no|default|empty|unset|undefined|unknown|string|str|text|bytes|required|optional"
    r"|(?:0123|1234|abcd|qwer|asdf|letmein|admin|root|guest|demo).{0,12}"
    r")\Z"
)
"""What people write where a secret will stand."""

KNOWN_EXAMPLES = (
    "EXAMPLE",
    "scott:tiger",
    "2YotnFZFEjr1zCsicMWpAA",
    "tGzv3JOkF0XG5Qx2TlKWIA",
    "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
    "TJVA95OrM7E2cBab30RMHrHDcEfxjoYZgeFONFh7HgQ",
)
"""Parts of the secrets that vendors print in their own documentation."""
