"""Signing in at the platform's Keycloak, and keeping the token fresh."""

from __future__ import annotations

import base64
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from hatch_wallaroo.platform.credentials import Credentials, Secret, cleaned, from_file, from_keyring, is_token
from hatch_wallaroo.platform.errors import AuthenticationError, ConfigurationError, ConnectionFailedError
from hatch_wallaroo.platform.publish_settings import Settings
from hatch_wallaroo.platform.tokens import LATEST, Device, TokenCache, Tokens, error_of, names_of, seconds
from hatch_wallaroo.platform.transport import Response, Transport
from hatch_wallaroo.text import describe_error

REALM = "/auth/realms/master/protocol/openid-connect"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
PUBLIC_CLIENT = "sdk-client"
CONFIDENTIAL_CLIENT = "api-client"
_MARGIN = 15.0
"""Seconds before its end at which a token counts as ended."""
_SOON = 300.0
"""Seconds: what ends within them is renewed before something long."""


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in: the name on the platform ("" if the token does not tell), how, until when (epoch seconds)."""

    user: str
    way: str
    expires: float | None


class Authenticator:
    """Tokens for one platform, by the way that the settings say.

    `tell` shows the lines of a login in the browser; without it nobody is there to read them, and none is begun.
    `cache`: the remembered logins. Publishing reads them and keeps them fresh; only `login` adds one.
    """

    def __init__(
        self,
        settings: Settings,
        transport: Transport,
        *,
        tell: Callable[[str], None] | None = None,
        cache: TokenCache | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._tell = tell
        self._cache = cache or TokenCache()
        self._sleep = sleep
        self._clock = clock
        self._tokens: Tokens | None = None
        self._way = settings.auth
        self._remembered = False
        self._credentials: Credentials | None = None
        for secret in (settings.password, settings.token, settings.client_secret):
            transport.conceal(secret)

    def header(self) -> str:
        """`Bearer …` with a token that is good for now. Raises AuthenticationError."""
        return f"Bearer {self._valid().access.reveal()}"

    def identity(self) -> SignedIn:
        """Who the platform takes us for; signs in where that has not happened yet."""
        tokens = self._valid()
        return SignedIn(tokens.user, self._way, tokens.expires if tokens.expires < self._clock() + LATEST else None)

    def renew(self) -> None:
        """Another token, since the platform does not take this one any more. Raises AuthenticationError."""
        old = self._tokens
        if old is None or not self._refresh(old):
            if self._way == "token":
                raise AuthenticationError(
                    f"{self._transport.url} does not take the token.",
                    "It has ended, or it is for another platform: get a new one, or sign in with another way.",
                )
            if self._remembered:
                # A remembered login that has ended must not be found again below.
                self._forget_remembered()
            self._tokens = self._sign_in()

    def freshen(self) -> None:
        """Before something long: a new token where this one ends within minutes, if that works without asking."""
        tokens = self._valid()
        if tokens.expires < self._clock() + _SOON:
            with contextlib.suppress(ConnectionFailedError):
                self._refresh(tokens)

    def login(self) -> SignedIn:
        """Sign in anew, whatever is remembered, and remember it. Raises AuthenticationError."""
        self._tokens = self._sign_in(remembered=False)
        self._save(self._tokens)
        self._remembered = True
        return self.identity()

    def logout(self) -> bool:
        """Forget the remembered logins here (of the settings' user, if they name one); whether there was one."""
        try:
            return bool(self._cache.delete(self._transport.url, self._settings.user))
        except OSError as error:
            raise self._unwritable(error) from error

    def _valid(self) -> Tokens:
        if self._tokens is None:
            self._tokens = self._sign_in()
        if self._tokens.expires < self._clock() + _MARGIN and self._way != "token":
            self.renew()
        return self._tokens

    # Choosing a way

    def _sign_in(self, *, remembered: bool = True) -> Tokens:
        settings = self._settings
        self._remembered = False
        way = "token" if self._way == "auto" and settings.token else self._way
        credentials = self._own_credentials(way)
        if credentials and credentials.token and way in {"auto", "token"}:
            self._way = "token"
            return self._ready(credentials.token)
        if way == "client" or (way == "auto" and settings.client_secret):
            self._way = "client"
            return self._as_client(credentials)
        if credentials and credentials.password and way in {"auto", "password"}:
            self._way = "password"
            return self._by_password(credentials)
        if way == "token":
            raise self._nothing("There is no token.")
        if way == "password":
            raise self._nothing("There is no user with a password.")
        if remembered and (found := self._from_cache()):
            return found
        if self._tell is None or not settings.prompt:
            raise self._nothing(f"Nobody is signed in at {self._transport.url}.")
        self._way = "sso"
        return self._in_browser(self._tell)

    def _own_credentials(self, way: str) -> Credentials | None:
        """What settings, the credentials file or the keyring hold, in this order."""
        settings = self._settings
        if way == "sso":
            return None
        if self._credentials is None:
            if settings.token and way != "password":
                self._credentials = Credentials(token=settings.token)
            elif settings.user and settings.password:
                self._credentials = Credentials(user=settings.user, password=settings.password)
            elif settings.credentials:
                self._credentials = from_file(settings.credentials)
            elif settings.keyring and settings.user:
                self._credentials = from_keyring(self._transport.url, settings.user)
            if self._credentials:
                self._transport.conceal(self._credentials.password)
                self._transport.conceal(self._credentials.token)
        return self._credentials

    def _nothing(self, message: str) -> AuthenticationError:
        users = self._cache.users(self._transport.url)
        if len(users) > 1 and self._settings.user is None:
            return AuthenticationError(
                f"Several users are signed in at {self._transport.url}: {', '.join(users)}.",
                "Say which with -o user=NAME.",
            )
        return AuthenticationError(
            message,
            "Run `hatch-wallaroo login`, or set WALLAROO_USER and WALLAROO_PASSWORD "
            "(or WALLAROO_SDK_CREDENTIALS, or WALLAROO_TOKEN).",
        )

    # The ways

    def _ready(self, token: Secret) -> Tokens:
        if not is_token(token.reveal()):
            raise AuthenticationError("The token holds spaces or line breaks.", "Copy it once more.")
        user, *also = [*names_of(token), ""]
        # The platform says when a ready token has ended; its own claim may come from another clock.
        return Tokens(token, self._clock() + 2 * LATEST, None, None, user, PUBLIC_CLIENT, tuple(filter(None, also)))

    def _by_password(self, credentials: Credentials) -> Tokens:
        client = self._settings.client_id or PUBLIC_CLIENT
        form = {
            "client_id": client,
            "username": credentials.user or "",
            "password": credentials.password.reveal() if credentials.password else "",
            "grant_type": "password",
        }
        return self._granted(self._ask(form), client, credentials.user)

    def _as_client(self, credentials: Credentials | None) -> Tokens:
        """The documented raw way: HTTP Basic, for a user if there is one, else for the client itself."""
        client = self._settings.client_id or CONFIDENTIAL_CLIENT
        if credentials and credentials.password:
            form = {
                "grant_type": "password",
                "username": credentials.user or "",
                "password": credentials.password.reveal(),
            }
        else:
            form = {"grant_type": "client_credentials"}
        return self._granted(self._ask(form), client, form.get("username"))

    def _in_browser(self, tell: Callable[[str], None]) -> Tokens:
        client = self._settings.client_id or PUBLIC_CLIENT
        path = f"{REALM}/auth/device"
        response = self._transport.request("POST", path, form={"client_id": client}, authorize=False)
        if response.status != 200:  # noqa: PLR2004  # HTTP
            raise self._refused(response, None)
        begun = Device.read(response)
        self._transport.conceal(begun.code)
        address = begun.address
        if self._settings.auth_endpoint:
            address = address.replace(f"{self._transport.url}/auth", self._settings.auth_endpoint, 1)
        tell(f"To sign in, open {cleaned(address)}")
        if begun.user_code:
            tell(f"and check that it shows the code {cleaned(begun.user_code)}")
        form = {"grant_type": DEVICE_GRANT, "device_code": begun.code.reveal(), "client_id": client}
        interval = begun.interval
        until = self._clock() + begun.expires_in
        while self._clock() < until:
            self._sleep(interval)
            response = self._ask(form)
            error = error_of(response)
            if error not in {"authorization_pending", "slow_down"}:
                return self._granted(response, client, self._settings.user)
            interval += 5.0 if error == "slow_down" else 0.0
        raise AuthenticationError("The login in the browser was not finished in time.", "Begin again.")

    def _from_cache(self) -> Tokens | None:
        found = self._cache.load(self._transport.url, self._settings.user)
        if found is None:
            return None
        self._remembered = True
        for secret in (found.access, found.refresh):
            self._transport.conceal(secret)
        if self._way == "auto":
            self._way = "sso"
        if found.expires >= self._clock() + _MARGIN:
            return found
        if self._refresh(found) and self._tokens:
            return self._tokens
        self._remembered = False
        return None

    def _refresh(self, old: Tokens) -> bool:
        """A new token for the refresh token; False where there is none or it is not taken any more."""
        if old.refresh is None or (old.refresh_expires is not None and old.refresh_expires < self._clock()):
            return False
        form = {"client_id": old.client_id, "grant_type": "refresh_token", "refresh_token": old.refresh.reveal()}
        response = self._ask(form)
        if response.status in {400, 401}:
            return False
        made = self._granted(response, old.client_id, None)
        if old.user and made.user not in {old.user, ""}:
            return False
        made = replace(made, user=old.user, also=old.also)
        self._tokens = made if made.refresh else replace(made, refresh=old.refresh, refresh_expires=old.refresh_expires)
        if self._remembered:
            with contextlib.suppress(OSError):
                self._cache.save(self._transport.url, self._tokens)
        return True

    # The token endpoint

    def _ask(self, form: Mapping[str, str]) -> Response:
        headers = {}
        if self._settings.client_secret and self._way == "client":
            client = self._settings.client_id or CONFIDENTIAL_CLIENT
            login = f"{client}:{self._settings.client_secret.reveal()}"
            basic = Secret(base64.b64encode(login.encode()).decode())
            self._transport.conceal(basic)
            headers["Authorization"] = f"Basic {basic.reveal()}"
        return self._transport.request("POST", f"{REALM}/token", form=form, headers=headers, authorize=False)

    def _granted(self, response: Response, client: str, user: str | None) -> Tokens:
        """The tokens of an answer. Raises AuthenticationError where it is a refusal, or another user's login."""
        if response.status != 200:  # noqa: PLR2004  # HTTP
            raise self._refused(response, user)
        made = response.json()
        access = made.get("access_token") if isinstance(made, dict) else None
        if not isinstance(access, str) or not is_token(access):
            raise ConnectionFailedError(f"{response.asked} was answered without a token.", "Check the url.")
        refresh = made.get("refresh_token")
        tokens = Secret(access), Secret(refresh) if isinstance(refresh, str) and is_token(refresh) else None
        for secret in tokens:
            self._transport.conceal(secret)
        now = self._clock()
        ends, refresh_ends = seconds(made.get("expires_in")), seconds(made.get("refresh_expires_in"))
        name, *also = names_of(tokens[0]) or (user or "",)
        granted = Tokens(
            access=tokens[0],
            expires=now + (60.0 if ends is None else ends),
            refresh=tokens[1],
            refresh_expires=now + refresh_ends if refresh_ends else None,
            user=name,
            client_id=client,
            also=tuple(also),
        )
        if self._way == "sso" and user and name and not granted.belong_to(user):
            raise AuthenticationError(
                f"{cleaned(name)} signed in, and the settings say {user}.", "Sign in as that user, or change user."
            )
        if user and self._way == "password" and not granted.belong_to(user):
            granted = replace(granted, also=(*granted.also, user))
        return granted

    def _refused(self, response: Response, user: str | None) -> AuthenticationError | ConnectionFailedError:
        url = self._transport.url
        words = response.words()
        if response.status in {404, 405, 501}:
            path = urlsplit(url).path
            fix = f"Check the url; it may be right without {path}." if path else "Check the url."
            return ConnectionFailedError(f"There is no login service at {url}.", fix)
        if response.status >= 500 or response.status in {408, 429}:  # noqa: PLR2004  # HTTP
            return ConnectionFailedError(f"The login service answers {response.status}. {words}".strip())
        who = f"the user {user}" if user else "this login"
        fixes = {
            "access_denied": "It was declined in the browser.",
            "expired_token": "It was not finished in time: begin again.",
            "unauthorized_client": "This client may not sign in that way: see client-id and client-secret.",
            "invalid_client": "Check client-id and client-secret.",
        }
        fix = fixes.get(error_of(response), "Check user and password, and that they are for this platform.")
        return AuthenticationError(f"{url} does not accept {who}" + (f": {words}" if words else "."), fix)

    # The cache

    def _forget_remembered(self) -> None:
        if self._tokens:
            with contextlib.suppress(OSError):
                self._cache.delete(self._transport.url, self._tokens.user)

    def _save(self, tokens: Tokens) -> None:
        if not tokens.user:
            raise AuthenticationError("The platform's token does not tell who signed in, so it is not remembered.")
        try:
            self._cache.save(self._transport.url, tokens)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> ConfigurationError:
        return ConfigurationError(
            f"The logins in {self._cache.path} cannot be written: {describe_error(error)}.",
            "See whom that folder belongs to.",
        )
