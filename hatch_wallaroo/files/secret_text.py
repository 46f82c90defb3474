"""Secrets in text: what they look like, and where they stand."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from urllib.parse import unquote

_MOST_PER_FILE = 5
_PASSWORD_LENGTH, _TOKEN_LENGTH = 5, 16
_TOKEN_ENTROPY = 3.3
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

_PATTERNS = (
    _pattern(
        "a private key",
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

_SHORTEST_TOKEN = 20
"""No token is shorter: hints that are part of a token are looked for in words of this length only."""

_SHORT_PATTERNS = (
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

_PASSWORD_ROOTS = ("password", "passwd", "passphrase", "pwd")
_TOKEN_ROOTS = ("secret", "token", "credential", "key")
"""What a name ends in whose value may be a secret, in lower case."""

_BEFORE_KEY = re.compile(r"(?:api|access|auth|private|account|secret|signing|encryption)[_-]?\Z")
"""What stands before `key` where it is one of that kind."""

_KEY_REACH = 12
"""As many characters as `_BEFORE_KEY` may need."""

_QUOTED_VALUE = re.compile(
    # name = "value", "name": "value", name: str = "value"; quotes may be escaped, as in notebooks.
    r"""(?:[_-]?[iI][dD]|[sS])?(?:\\?["'])?\]?\s{0,20}(?::\s{0,5}[A-Za-z_.\[\]| ]{1,40}=|:=|=>|==?|:)\s{0,20}"""
    r"""[rbufRBUF]{0,2}(?P<quote>\\?["'])(?P<value>[^"'\\\n]{1,500})(?P=quote)"""
)

_BARE_NAME = re.compile(r"[ \t]*(?:export[ \t]+|set[ \t]+|ENV[ \t]+|ARG[ \t]+|-[ \t]+)?[A-Za-z0-9_.-]{0,60}\Z")
_BARE_VALUE = re.compile(
    # The rest of a settings file's line: NAME=value, name: value.
    r"""(?m)(?:[_-]?[iI][dD]|[sS])?[ \t]*[=:][ \t]*(?P<value>[^\s"';,<>(){}\[\]]{1,500})[ \t]*(?:[#;].*)?$"""
)
_BARE_REACH = 100
"""As many characters as `_BARE_NAME` may need."""

_SETTINGS_SUFFIXES = frozenset(
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

_PLACEHOLDER = re.compile(
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

_KNOWN_EXAMPLES = (
    "EXAMPLE",
    "scott:tiger",
    "2YotnFZFEjr1zCsicMWpAA",
    "tGzv3JOkF0XG5Qx2TlKWIA",
    "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
    "TJVA95OrM7E2cBab30RMHrHDcEfxjoYZgeFONFh7HgQ",
)
"""Parts of the secrets that vendors print in their own documentation."""


@dataclass(frozen=True)
class Hit:
    """Where a secret stands and what kind it is; never the secret."""

    kind: str
    line: int | None = None


def text_hits(text: str, path: str) -> Iterator[Hit]:
    """The secrets in a text, by line, a few at most."""
    lower = _lowered(text)
    found: dict[int, str] = {}
    for kind, at in (*_tokens(text, lower), *_assignments(text, lower, path)):
        found.setdefault(text.count("\n", 0, at) + 1, kind)
    for line in sorted(found)[:_MOST_PER_FILE]:
        yield Hit(found[line], line)


def _lowered(text: str) -> str:
    """The text in lower case, every character in its place."""
    lower = text.lower()
    return (
        lower if len(lower) == len(text) else "".join(low if len(low := each.lower()) == 1 else each for each in text)
    )


def _tokens(text: str, lower: str) -> Iterator[tuple[str, int]]:
    """What looks like a secret by its own form, and where."""
    words = " ".join(word for word in lower.split() if len(word) >= _SHORTEST_TOKEN)
    for pattern in (*_PATTERNS, *_SHORT_PATTERNS):
        if any(hint in (words if pattern.in_token else lower) for hint in pattern.hints):
            convincing = (match for match in pattern.regex.finditer(text) if _convincing(pattern, match))
            yield from ((pattern.kind, match.start()) for match in islice(convincing, _MOST_PER_FILE))


def _convincing(pattern: Pattern, match: re.Match[str]) -> bool:
    groups = match.groupdict()
    value = groups.get("value")
    if value is None:
        return True
    if any(known in match[0] for known in _KNOWN_EXAMPLES):
        return False
    if pattern.entropy:
        return entropy(value) >= pattern.entropy
    return not _placeholder(value) and "{" not in value and value != groups.get("user")


def _assignments(text: str, lower: str, path: str) -> Iterator[tuple[str, int]]:
    """The assignments of passwords and tokens whose value looks real, and where the value stands."""
    name = path.rpartition("/")[2].lower()
    suffix = f".{name.rpartition('.')[2]}" if "." in name else ""
    bare = suffix in _SETTINGS_SUFFIXES or name.startswith((".env", "dockerfile"))
    for roots, kind, real in (
        (_PASSWORD_ROOTS, "a password", _real_password),
        (_TOKEN_ROOTS, "a secret key or token", _real_token),
    ):
        values = (match for start, end in _named(lower, roots) for match in _values(text, start, end, bare=bare))
        convincing = (match for match in values if real(match["value"]))
        yield from ((kind, match.start("value")) for match in islice(convincing, _MOST_PER_FILE))


def _named(lower: str, roots: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where the names of secrets stand: the start of the root and its end."""
    for root in roots:
        at = lower.find(root)
        while at >= 0:
            if root != "key" or _BEFORE_KEY.search(lower[max(0, at - _KEY_REACH) : at]):
                yield at, at + len(root)
            at = lower.find(root, at + len(root))


def _values(text: str, start: int, end: int, *, bare: bool) -> Iterator[re.Match[str]]:
    """The value that follows a name, in quotes or, in settings files, without."""
    if quoted := _QUOTED_VALUE.match(text, end):
        yield quoted
    elif bare and (value := _BARE_VALUE.match(text, end)):
        line = text.rfind("\n", max(0, start - _BARE_REACH), start) + 1
        if _BARE_NAME.match(text[max(line, start - _BARE_REACH) : start]):
            yield value


def _real_password(value: str) -> bool:
    """Whether an assigned value looks like somebody's password rather than a word, a reference or a placeholder."""
    return len(value) >= _PASSWORD_LENGTH and " " not in value and _classes(value) > 1 and _own(value)


def _real_token(value: str) -> bool:
    """The same for a key or token: long, and without a pattern."""
    plain = len(value) >= _TOKEN_LENGTH and re.fullmatch(r"[A-Za-z0-9_.~+/=!@#$%^&*:-]+", value) is not None
    return plain and _digits_and_letters(value) and entropy(value) >= _TOKEN_ENTROPY and _own(value)


def _own(value: str) -> bool:
    return not (_placeholder(value) or _reference(value) or any(known in value for known in _KNOWN_EXAMPLES))


def _placeholder(value: str) -> bool:
    return _PLACEHOLDER.match(unquote(value).strip()) is not None


def _reference(value: str) -> bool:
    """Whether a value names something else: a path, a class, a dotted or underscored name, an address."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z]*(?:[._/:-][A-Za-z]+)*|[A-Za-z_]\w{0,30}(?:\.[A-Za-z_]\w{0,30}){2,}", value):
        return True
    return value.startswith(("./", "/", "http://", "https://", "os.", "self.", "sha256:", "arn:", "projects/"))


def _classes(value: str) -> int:
    kinds = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^A-Za-z0-9]")
    return sum(re.search(kind, value) is not None for kind in kinds)


def _digits_and_letters(value: str) -> bool:
    return re.search("[0-9]", value) is not None and re.search("[A-Za-z]", value) is not None


def entropy(value: str) -> float:
    """Shannon's entropy of a text's characters, in bits a character."""
    counts, size = Counter(value), len(value)
    return -sum(count / size * math.log2(count / size) for count in counts.values()) if size else 0.0
