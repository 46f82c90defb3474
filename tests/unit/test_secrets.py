"""The secrets gate: what it refuses, what it lets through, and that it never says the secret."""

from __future__ import annotations

import base64
import os
import random
import string
import time
import zipfile

import pytest

from hatch_wallaroo.files import secrets
from hatch_wallaroo.files.secret_text import text_hits
from hatch_wallaroo.files.sources import Entry, FileSource, TextSource, ZipMember
from hatch_wallaroo.findings import Level
from support.factory import make_spec

ALNUM = string.ascii_letters + string.digits


def noise(length, alphabet=ALNUM, seed=7):
    """Characters that look random and are the same in every run; no scanner finds a token in this file."""
    return "".join(random.Random(f"{seed}{length}{alphabet}").choices(alphabet, k=length))


B64 = ALNUM + "+/"
URL64 = ALNUM + "-_"
HEX = "0123456789abcdef"
BASE32 = string.ascii_uppercase + "234567"
DASHES = "-" * 5


def armour(kind, body=None, newline="\n"):
    lines = [f"{DASHES}BEGIN {kind}{DASHES}", *([body] if body else [noise(64, B64, n) for n in range(4)])]
    return newline.join([*lines, f"{DASHES}END {kind}{DASHES}", ""])


def jwt():
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    body = base64.urlsafe_b64encode(b'{"sub":"12","name":"A. Person","iat":1516239022}').decode().rstrip("=")
    return f"{head}.{body}.{noise(43, URL64)}"


TEXTS = {
    "an RSA key": ("deploy.txt", armour("RSA PRIVATE KEY")),
    "a PKCS8 key": ("server.pem", armour("CERTIFICATE") + armour("PRIVATE KEY")),
    "an encrypted key": ("server.key", armour("ENCRYPTED PRIVATE KEY")),
    "a key with headers": (
        "a.txt",
        f"{DASHES}BEGIN RSA PRIVATE KEY{DASHES}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{noise(32, HEX)}\n\n"
        + noise(64, B64),
    ),
    "an OpenSSH key": ("key.txt", armour("OPENSSH PRIVATE KEY")),
    "a PGP key": ("a.asc", armour("PGP PRIVATE KEY BLOCK", "Version: GnuPG v2\n\n" + noise(64, B64))),
    "a key in JSON": (
        "robot.json",
        '{"type": "service_account", "private_key": "' + armour("PRIVATE KEY", newline="\\n") + '"}',
    ),
    "a key in Python": ("a.py", 'KEY = """' + armour("EC PRIVATE KEY") + '"""'),
    "a key with Windows lines": ("a.pem", armour("PRIVATE KEY", newline="\r\n")),
    "a PuTTY key": ("a.txt", "PuTTY-User-Key-File-" + "2: ssh-rsa\nEncryption: none\n"),
    "an age key": ("a.txt", "AGE-SECRET-KEY-1" + noise(58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")),
    "an AWS id": ("a.py", f'client("s3", aws_access_key_id="AKIA{noise(16, BASE32)}")'),
    "an AWS secret": ("a.ini", f"aws_secret_access_key = {noise(40, B64)}"),
    "a Google key": ("a.js", f'key: "AIza{noise(35, URL64)}"'),
    "a Google OAuth secret": ("a.json", f'{{"x": "GOCSPX-{noise(28, URL64)}"}}'),
    "an Azure storage string": ("a.cfg", f"DefaultEndpointsProtocol=https;AccountName=x;AccountKey={noise(86, B64)}=="),
    "an Azure bus string": ("a.py", f'"Endpoint=sb://x/;SharedAccessKey={noise(43, B64)}="'),
    "an Azure signature": ("a.md", f"https://x.blob.core.windows.net/c?sv=2022-11-02&se=2027-01-01&sig={noise(43)}%3D"),
    "a GitHub token": ("a.sh", f"git clone https://{'ghp_' + noise(36)}@github.com/x/y"),
    "a fine-grained GitHub token": ("a.yml", f"token: github_pat_{noise(22)}_{noise(59)}"),
    "a GitLab token": ("a.toml", f'x = "glpat-{noise(20, URL64)}"'),
    "a Slack token": ("a.py", f'"xoxb-{noise(12, string.digits)}-{noise(24)}"'),
    "a Slack webhook": (
        "a.py",
        f'"https://hooks.slack.com/services/T{noise(8, BASE32)}/B{noise(8, BASE32)}/{noise(24)}"',
    ),
    "a Hugging Face token": ("a.py", f'login("hf_{noise(34)}")'),
    "an OpenAI project key": ("a.py", f'OpenAI(api_key="sk-proj-{noise(48, URL64)}")'),
    "an OpenAI key": ("a.txt", f"sk-{noise(48)}"),
    "an Anthropic key": ("a.py", f'"sk-ant-api03-{noise(95, URL64)}"'),
    "a Databricks token": ("a.py", f'"dapi{noise(32, HEX)}"'),
    "a PyPI token": ("a.cfg", f"pypi-AgEIcHlwaS5vcmc{noise(80, URL64)}"),
    "an npm token": ("a.txt", f"npm_{noise(36)}"),
    "a Stripe key": ("a.py", f'"sk_live_{noise(24)}"'),
    "a SendGrid key": ("a.py", f'"SG.{noise(22, URL64)}.{noise(43, URL64)}"'),
    "a web token": ("a.json", f'{{"t": "{jwt()}"}}'),
    "a bearer token": ("a.py", f'headers = {{"Authorization": "Bearer {noise(40)}"}}'),
    "a database's address": ("a.py", 'create_engine("postgresql+psycopg2://svc:t0pS3cr4t@db.internal:5432/x")'),
    "a proxy's address": ("a.sh", "export http_proxy=http://jane:Wint3r!9@proxy:3128"),
    "an index's address": ("requirements.txt", "--extra-index-url https://bot:9fGh2kLm@pypi.internal/simple"),
    "Redis without a user": ("a.py", 'redis.from_url("redis://:8hd7GHf2@cache:6379")'),
    "a Wallaroo password in a shell": ("run.sh", "export WALLAROO_PASSWORD=Sommer2024!\n"),
    "a Wallaroo password in a notebook": ("a.ipynb", '{"source": ["%env WALLAROO_PASSWORD=Sommer2024!\\n"]}'),
    "a Wallaroo password in Python": ("a.py", 'os.environ["WALLAROO_PASSWORD"] = "Sommer2024!"'),
    "the SDK's credentials": ("wallaroo.json", '{"username": "jane@corp.com", "password": "Tr0ub4dor&3"}'),
    "a password in Python": ("a.py", 'connect(user="jane", password="c0rrectHorse")'),
    "a password with a type": ("a.py", 'DB_PASSWORD: str = "S3cure!pass9"'),
    "a password in a notebook's code": ("a.ipynb", '{"source": ["db_password = \\"S3cure!x9\\"\\n"]}'),
    "a password in YAML": ("a.yaml", "database:\n  user: jane\n  password: S3cure!x9  # prod\n"),
    "a password in a Dockerfile": ("Dockerfile", "ENV DB_PASSWORD=S3cure!x9\n"),
    "a password in TOML": ("a.toml", 'password = "S3cure!x9"'),
    "a secret key in Python": ("a.py", f'SECRET_KEY = "{noise(50)}"'),
    "an API key in JSON": ("a.json", f'{{"apiKey": "{noise(32, HEX)}"}}'),
    "a token in an ini file": ("a.ini", f"auth_token={noise(40, HEX)}"),
    "a secret after letters that grow in lower case": ("a.py", "x = 'İİİİ'\n" + 'password = "S3cure!x9"'),
    "a secret in UTF-16": ("a.txt", f"hf_{noise(34)}".encode("utf-16")),
    "a secret in Latin-1": ("a.txt", f"Schlüssel: hf_{noise(34)}".encode("latin-1")),
}

NAMES = [
    ".env",
    "conf/.env.production",
    "prod.env",
    ".envrc",
    "id_rsa",
    "keys/ID_ED25519",
    ".ssh/work",
    ".netrc",
    "_netrc",
    ".pypirc",
    ".npmrc",
    ".git-credentials",
    ".aws/credentials",
    ".docker/config.json",
    ".kube/config",
    "kubeconfig",
    "prod.kubeconfig",
    "credentials.json",
    "client_secret_123.apps.json",
    "service-account-prod.json",
    "service_account.json",
    "secret_key.json",
    "secrets.toml",
    ".streamlit/secrets.toml",
    "cert.p12",
    "a.pfx",
    "release.jks",
    "putty.ppk",
    "terraform.tfstate",
    "kaggle.json",
    ".huggingface/token",
    ".bash_history",
    ".htpasswd",
    ".pgpass",
]

HARMLESS = {
    "a certificate": ("cacert.pem", armour("CERTIFICATE")),
    "a public key": ("a.pem", armour("PUBLIC KEY") + armour("RSA PUBLIC KEY")),
    "the armour alone": ("a.py", f'if line == "{DASHES}BEGIN PRIVATE KEY{DASHES}":\n    return True\n'),
    "a key left out": ("README.md", f"{DASHES}BEGIN PRIVATE KEY{DASHES}\n...\n{DASHES}END PRIVATE KEY{DASHES}"),
    "tokens of a tokenizer": (
        "tokenizer_config.json",
        '{"pad_token": "<pad>", "bos_token": "<s>", "unk_token": "[UNK]", "cls_token": "[CLS]"}',
    ),
    "a reserved token": (
        "special_tokens_map.json",
        '{"eos_token": "<|endoftext|>", "mask_token": "<mask>", "pad_token": "<|reserved_special_token_250|>"}',
    ),
    "added tokens": ("added_tokens.json", '{"<extra_id_12>": 32011, "▁<EOT>": 32010}'),
    "a vocabulary": (
        "vocab.json",
        '{"password": 28318, "Ġsecret": 3200, "api": 15042, "token": 30001, "hf_": 71, "sk-": 8}',
    ),
    "merges": ("merges.txt", "#version: 0.2\npass word\nĠse cret\nto ken\nAK IA\n"),
    "a word list": ("vocab.txt", "[PAD]\npassword\nsecret\ntoken\n##key\n"),
    "scores of pieces": ("spiece.vocab", "▁password\t-9.31\n▁token\t-10.2\n"),
    "placeholder changeme": ("a.py", 'password = "changeme"'),
    "placeholder in angles": ("a.py", 'api_key = "<your-api-key>"'),
    "placeholder your": ("a.py", 'token = "your_token_here_1234567890"'),
    "placeholder xxx": ("a.py", f'token = "hf_{"x" * 34}"'),
    "placeholder stars": ("a.yaml", "password: ********"),
    "a variable in a shell": ("a.sh", "export WALLAROO_PASSWORD=$PASSWORD\nexport TOKEN=${TOKEN:-}\n"),
    "a variable in YAML": ("a.yml", "password: ${DB_PASSWORD}\ntoken: {{ secrets.TOKEN }}\n"),
    "read from the environment": ("a.py", 'password = os.environ["WALLAROO_PASSWORD"]\ntoken = os.getenv("HF_TOKEN")'),
    "asked for": ("a.py", 'password = getpass.getpass("Password: ")'),
    "an argument": ("a.py", 'def login(password: str = "", token: str | None = None): ...'),
    "a keyword": ("a.py", "connect(password=password, token=self.token, api_key=settings.api_key)"),
    "a schema": ("schema.json", '{"password": "string", "token": "str", "secret": "bytes"}'),
    "a form": ("a.html", '<input type="password" name="password" placeholder="Enter your password">'),
    "a label": ("a.py", 'PASSWORD_LABEL = "Password"\nerror = {"password": "Please enter a password"}'),
    "a class": ("config.json", '{"tokenizer_class": "BertTokenizer", "token": "PreTrainedTokenizerFast"}'),
    "type ids": ("tokenizer.json", '{"token_type_ids": [0, 1], "type_id": 0, "content": "[SEP]"}'),
    "AWS's example": (
        "a.md",
        "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    ),
    "a web token of the documentation": (
        "a.md",
        jwt().rpartition(".")[0] + ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
    ),
    "an address without a login": (
        "a.py",
        '"https://index.example/simple", "postgresql://localhost:5432/x", "s3://bucket/key"',
    ),
    "an address with a placeholder": ("a.py", '"postgresql://user:password@localhost/db", "amqp://guest:guest@mq"'),
    "an address with the vendor's default": ("a.py", '"postgresql://postgres:postgres@localhost/db"'),
    "a token without entropy": ("a.py", 'token = "aaaa1111aaaa1111aaaa1111"'),
    "an address with variables": ("a.py", 'f"https://{user}:{password}@host", "https://${USER}:${PASS}@host"'),
    "an address with a time": ("a.txt", "see http://example.com/a at 12:30@noon"),
    "a digest": ("a.json", f'{{"sha256": "{noise(64, HEX)}", "commit": "{noise(40, HEX)}"}}'),
    "a lock's digest": ("requirements.txt", f"numpy==1.22.3 --hash=sha256:{noise(64, HEX)}"),
    "weights as text": ("weights.txt", "\n".join(f"{random.Random(n).uniform(-1, 1):.17f}" for n in range(500))),
    "weights in base64": ("model.json", f'{{"leaf": "{noise(20_000, B64)}"}}'),
    "an image in a notebook": ("a.ipynb", f'{{"image/png": "iVBORw0KGgo{noise(9_000, B64)}"}}'),
    "samples": ("sample.csv", "user,password,text\n1,,I forgot my password: help\n"),
    "a pickled name": ("a.txt", "c__main__\nTokenizer\nq\x01. secret"),
    "a tree": ("dump.txt", "booster[0]:\n0:[f2<2.45] yes=1,no=2,missing=1\n"),
    "GitHub's prefix alone": ("a.py", 'if token.startswith("ghp_"): ...'),
    "a long identifier": ("a.py", 'credentials = "google.oauth2.service_account.Credentials"'),
    "a path": ("a.py", 'private_key = "/etc/ssl/private/key1.pem"\ncredentials = "./secrets/file-2024-01.json"'),
    "a resource's name": ("a.tf", 'secret = "arn:aws:secretsmanager:eu-west-1:1234567890:secret:x-AbC"'),
    "a number": ("a.yaml", "max_token: 4096\ntoken: 128001\n"),
    "a tokenized sentence": ("a.json", '{"tokens": ["the", "secret", "key", ":", "value"], "token": "##word123"}'),
    "a similar word": ("a.py", 'monkey = "Zx81aQ9p-LmN0-77Tz"\ndonkey: "b"'),
    "a requirement": ("requirements.txt", "tokenizers==0.13.3\nsecretstorage>=3\npasswordmeter\n"),
}

HARMLESS_NAMES = [
    ".env.example",
    "config/example.env",
    "id_rsa.pub",
    "environment.yml",
    "keys.py",
    "secrets.py",
    "monkey.json",
    "tokenizer.json",
    "token_embeddings.npy",
    "keyboard.csv",
    "model.key.txt",
    "credentials.py",
    "credential_model.onnx",
    "env",
    "config",
    "config.json",
    ".dockerignore",
    "client.json",
    "secretary.csv",
]


def write(root, name, content):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Entry(name, FileSource(path), name)


def told(findings):
    return "\n".join(f"{finding} {finding.message} {finding.fix}" for finding in findings)


@pytest.mark.parametrize("name", TEXTS)
def test_secrets_in_text_are_refused_and_not_told(tmp_path, name):
    file, content = TEXTS[name]
    entry = write(tmp_path, file, content)
    findings = secrets.scan(make_spec(tmp_path, "custom"), [entry])
    assert [each.code for each in findings] in (["WLR241"], ["WLR241"] * 2), told(findings)
    assert all(each.place.file == file and each.place.line for each in findings)
    text = content if isinstance(content, str) else content.decode("utf-16" if "16" in name else "latin-1")
    for word in text.replace('"', " ").replace("=", " ").replace("@", " ").split():
        if len(word) > 9 and word not in file and any(letter.isdigit() for letter in word):
            assert word not in told(findings)


@pytest.mark.parametrize("name", NAMES)
def test_files_made_for_secrets_are_refused_by_name(tmp_path, name):
    findings = secrets.scan(make_spec(tmp_path, "custom"), [write(tmp_path, name, "x")])
    assert [(each.code, each.place.file) for each in findings] == [("WLR240", name)]
    assert name in findings[0].message


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_texts_pass(tmp_path, name):
    entry = write(tmp_path, *HARMLESS[name])
    assert told(secrets.scan(make_spec(tmp_path, "custom"), [entry])) == ""


@pytest.mark.parametrize("name", HARMLESS_NAMES)
def test_harmless_names_pass(tmp_path, name):
    assert told(secrets.scan(make_spec(tmp_path, "custom"), [write(tmp_path, name, "x")])) == ""


def test_the_line_is_the_secrets_own(tmp_path):
    entry = write(tmp_path, "a.py", f'import x\n\n\nlogin(\n    "hf_{noise(34)}"\n)\npassword = "S3cure!x9"\n')
    findings = secrets.scan(make_spec(tmp_path, "custom"), [entry])
    assert [each.place.line for each in findings] == [5, 7]
    assert [each.message.rpartition("like ")[2] for each in findings] == ["a Hugging Face token", "a password"]


def test_a_text_full_of_secrets_is_told_in_a_few_lines(tmp_path):
    entry = write(tmp_path, "a.txt", "".join(f"hf_{noise(34, seed=n)}\n" for n in range(2_000)))
    assert len(secrets.scan(make_spec(tmp_path, "custom"), [entry])) == 5


def test_large_and_binary_files_are_not_read(tmp_path):
    token = f"hf_{noise(34)}\n"
    entries = [
        write(tmp_path, "large.txt", token + "x" * secrets.LARGEST_TEXT),
        write(tmp_path, "weights.bin", b"\x00\x01" + token.encode()),
    ]
    assert secrets.scan(make_spec(tmp_path, "custom"), entries) == []


def test_a_large_certificate_bundle_is_read_to_its_end(tmp_path):
    many = armour("CERTIFICATE") * 1_000
    assert len(many) > secrets.LARGEST_TEXT
    spec = make_spec(tmp_path, "custom")
    assert secrets.scan(spec, [write(tmp_path, "cacert.pem", many)]) == []
    assert len(secrets.scan(spec, [write(tmp_path, "all.pem", many + armour("PRIVATE KEY"))])) == 1


def test_binary_keys_are_told_from_certificates_and_presentations(tmp_path):
    spec = make_spec(tmp_path, "custom")
    key = write(tmp_path, "server.key", b"\x30\x82\x04\xa4\x02\x01\x00\x02\x82\x01\x01\x00" + bytes(range(256)) * 4)
    certificate = write(
        tmp_path, "ca.der", b"\x30\x82\x03\x10\x30\x82\x02\xf8\xa0\x03\x02\x01\x02" + bytes(range(256)) * 3
    )
    slides = write(tmp_path, "talk.key", b"PK\x03\x04" + bytes(range(256)) * 90)
    assert [each.place.file for each in secrets.scan(spec, [key, certificate, slides])] == ["server.key"]


def test_a_link_is_judged_by_where_it_leads(tmp_path):
    write(tmp_path, ".netrc", "x")
    (tmp_path / "notes.txt").symlink_to(".netrc")
    entry = Entry("notes.txt", FileSource(tmp_path / "notes.txt"), "notes.txt")
    assert [each.code for each in secrets.scan(make_spec(tmp_path, "custom"), [entry])] == ["WLR240"]


def test_generated_text_is_judged_without_a_place_in_the_project(tmp_path):
    entry = Entry("requirements.txt", TextSource("--index-url https://bot:9fGh2kLm@pypi.internal/simple\n"))
    (finding,) = secrets.scan(make_spec(tmp_path, "custom"), [entry])
    assert finding.place.file == ""
    assert "include-sensitive" not in finding.fix


def test_members_of_zips_are_judged_and_the_zip_is_opened_once(tmp_path, monkeypatch):
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/.env", "x")
        archive.writestr("a/b.py", f'login("hf_{noise(34)}")')
        for number in range(50):
            archive.writestr(f"a/{number}.txt", "fine")
    infos = zipfile.ZipFile(path).infolist()
    entries = [
        Entry(info.filename, ZipMember(path, info.filename, index, info.file_size), f"m.zip!{info.filename}")
        for index, info in enumerate(infos)
    ]
    opened = []
    original = zipfile.ZipFile.__init__
    monkeypatch.setattr(
        zipfile.ZipFile, "__init__", lambda self, *args, **kw: opened.append(1) or original(self, *args, **kw)
    )
    findings = secrets.scan(make_spec(tmp_path, "custom"), entries)
    assert [(each.code, each.place.file) for each in findings] == [
        ("WLR240", "m.zip!a/.env"),
        ("WLR241", "m.zip!a/b.py"),
    ]
    assert len(opened) == 1


def test_a_damaged_member_does_not_end_the_scan(tmp_path):
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.py", "x = 1" * 100)
    data = bytearray(path.read_bytes())
    data[40:60] = b"\xff" * 20
    path.write_bytes(data)
    entry = Entry("a.py", ZipMember(path, "a.py", 0, 500), "m.zip!a.py")
    gone = Entry("b.py", FileSource(tmp_path / "gone.py"), "b.py")
    assert secrets.scan(make_spec(tmp_path, "custom"), [entry, gone]) == []


def test_include_sensitive_admits_exact_paths_only(tmp_path):
    env, key = write(tmp_path, "a/.env", "x"), write(tmp_path, "a/x.py", f'k = "hf_{noise(34)}"')
    spec = make_spec(tmp_path, "custom", include_sensitive=("a/.env", "./a/x.py"))
    assert secrets.scan(spec, [env, key]) == []
    spec = make_spec(tmp_path, "custom", include_sensitive=("a/.env",))
    local = write(tmp_path, "a/.env.local", "x")
    assert [each.place.file for each in secrets.scan(spec, [env, key, local])] == ["a/x.py", "a/.env.local"]


@pytest.mark.parametrize(
    ("declared", "code", "level"),
    [
        ("a/*.env", "WLR242", Level.ERROR),
        ("a", "WLR242", Level.ERROR),
        ("a/", "WLR242", Level.ERROR),
        ("**", "WLR242", Level.ERROR),
        ("a/.emv", "WLR243", Level.WARNING),
        (".env", "WLR243", Level.WARNING),
        ("a/fine.txt", "WLR244", Level.NOTE),
    ],
)
def test_include_sensitive_itself_is_judged(tmp_path, declared, code, level):
    entries = [write(tmp_path, "a/.env", "x"), write(tmp_path, "a/fine.txt", "x")]
    findings = secrets.scan(make_spec(tmp_path, "custom", include_sensitive=(declared,)), entries)
    about = [each for each in findings if each.code != "WLR240"]
    assert [(each.code, each.level) for each in about] == [(code, level)]
    assert about[0].place.key == ("tool", "wallaroo", "include-sensitive", 0)
    assert [each.place.file for each in findings if each.code == "WLR240"] == ["a/.env"]


@pytest.mark.parametrize(
    "text",
    [
        noise(secrets.LARGEST_TEXT - 1, B64),
        "a" * (secrets.LARGEST_TEXT - 1),
        "password = " * 20_000,
        "token: 'x" * 20_000,
        "eyJ" * 80_000,
        "://a:" * 50_000,
        f"{DASHES}BEGIN PRIVATE KEY{DASHES}\n" * 8_000,
        "A-b: c\n" * 30_000 + f"{DASHES}BEGIN PRIVATE KEY{DASHES}\n" + "Ab-c: d\n" * 4_000,
        "password\\" * 25_000,
        "\n" * 250_000,
        "aws secret " * 20_000,
        "a.password-" * 20_000 + "=",
        "?sv=" + "&sv=1" * 50_000,
    ],
    ids=range(13),
)
@pytest.mark.parametrize("name", ["a.txt", "a.yaml"])
def test_time_is_bounded_for_hostile_text(text, name):
    start = time.process_time()
    list(text_hits(text, name))
    assert time.process_time() - start < 2


def test_nothing_in_memory_of_a_hit_holds_the_secret():
    token = f"hf_{noise(34)}"
    hits = list(text_hits(token, "a.txt"))
    assert hits
    assert token not in repr(hits)


@pytest.mark.skipif(os.name == "nt", reason="no pipes in folders")
def test_unreadable_entries_are_left_to_the_packer(tmp_path):
    entry = Entry("gone.txt", FileSource(tmp_path / "gone.txt"), "gone.txt")
    assert secrets.scan(make_spec(tmp_path, "custom"), [entry]) == []


@pytest.mark.parametrize(
    ("name", "kind", "advice"),
    [
        ("server.pem", "PRIVATE KEY", "leave it out with `exclude`"),
        ("server.key", "RSA PRIVATE KEY", "leave it out with `exclude`"),
        ("a.py", "EC PRIVATE KEY", "read it from an environment variable"),
    ],
)
def test_a_key_file_is_left_out_and_a_key_in_code_is_read_from_outside(tmp_path, name, kind, advice):
    (finding,) = secrets.scan(make_spec(tmp_path, "onnx"), [write(tmp_path, name, armour(kind))])
    assert finding.code == "WLR241"
    assert advice in finding.fix
    assert ("environment" in finding.fix) == (name == "a.py")
