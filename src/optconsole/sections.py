"""What a section of ``config.toml`` is, and the section of one account at a broker."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

ACCOUNT_NAME: Final = r"^[A-Za-z0-9_-]{1,20}$"
BrokerName = Literal["zerodha", "angelone", "shoonya", "paper"]
_SEALED: Final = {"http": "https", "ws": "wss"}


class Section(BaseModel):
    """Base of all sections: a misspelt key is an error, never a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def is_loopback(host: str | None) -> bool:
    """Whether a host names this machine and nothing else."""
    if host == "localhost":
        return True
    try:
        return host is not None and ip_address(host).is_loopback
    except ValueError:
        return False


def _web(value: str) -> str:
    return _checked(value, "https", "http")


def _socket(value: str) -> str:
    return _checked(value, "wss", "ws")


def _checked(value: str, sealed: str, plain: str) -> str:
    """An address without secrets in it, encrypted unless it never leaves this machine."""
    if not value:
        return value
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"it is not an address; write it as {sealed}://HOST[:PORT][/PATH]") from None
    if parts.scheme not in (sealed, plain) or not host or not value.isascii() or any(map(str.isspace, value)):
        raise ValueError(f"it is not an address; write it as {sealed}://HOST[:PORT][/PATH]")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("an address holds neither user, query nor fragment; secrets go into `optconsole secrets`")
    if parts.scheme == plain and not is_loopback(host):
        raise ValueError(f"{plain}:// is for this machine only (127.0.0.1); use {sealed}://")
    return value.rstrip("/") if parts.path in ("", "/") else value


WebAddress = Annotated[str, AfterValidator(_web)]
SocketAddress = Annotated[str, AfterValidator(_socket)]


class BrokerAccount(Section):
    """One account at a broker. Its secrets are in the vault under the same name, never here."""

    broker: BrokerName
    mode: Literal["live", "paper"] = "paper"
    """``paper`` keeps orders on the paper exchange, though quotes may be this broker's."""
    client_id: str = Field(default="", pattern=r"^[A-Za-z0-9_-]{0,30}$")
    """The user id at the broker; a login of another user is refused."""
    rest_url: WebAddress = ""
    """Unset is the broker's own; so are the addresses below."""
    ws_url: SocketAddress = ""
    order_ws_url: SocketAddress = ""
    """Where orders come over a socket of their own (Angel One); elsewhere unused."""
    login_url: WebAddress = ""
    """The page a browser is sent to (Zerodha, Shoonya)."""
    master_url: WebAddress = ""
    roots: str = ""
    """A file of certificates to trust instead of the system's, for a rehearsal on this machine."""
    algo_id: str = Field(default="", pattern=r"^[A-Za-z0-9_-]{0,40}$")
    """The exchange's id of the algorithm, put on each order."""
    data: bool | Annotated[int, Field(ge=1, le=99)] = True
    """Whether quotes are taken from here; a number ranks the sources, 1 first."""
    capital: int = Field(default=0, ge=0, le=1_000_00_00_000)
    """Rupees that percentages of loss are taken of; 0 is ``paper.capital``. What can be used is the broker's word."""
    group: str = Field(default="", pattern=r"^[A-Za-z0-9_-]{0,20}$")

    @property
    def rank(self) -> int | None:
        """The place among sources of quotes, 1 the first; None for one that is none. Equals go by the file's order."""
        return int(self.data) or None

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses that are set."""
        every = (self.rest_url, self.ws_url, self.order_ws_url, self.login_url, self.master_url)
        return tuple(url for url in every if url)

    @model_validator(mode="after")
    def _sensible(self) -> BrokerAccount:
        if self.broker == "paper":
            if self.mode == "live":
                raise ValueError('broker "paper" has no live orders; set mode = "paper"')
            if self.addresses or self.client_id or self.algo_id or self.roots:
                raise ValueError('broker "paper" is embedded; leave out client_id, algo_id, roots and the addresses')
        elif self.broker != "zerodha" and not self.client_id:
            raise ValueError(f"set client_id, your user id at {self.broker}")
        if self.roots and not (self.addresses and all(is_loopback(urlsplit(url).hostname) for url in self.addresses)):
            raise ValueError("roots is for rehearsals whose addresses are on this machine; a broker's needs none")
        return self


def clashing(accounts: dict[str, BrokerAccount]) -> str | None:
    """Why accounts cannot stand side by side; None where they can. Two logins of one user evict each other."""
    seen: dict[tuple[str, str, str], str] = {}
    for name, account in accounts.items():
        if account.broker == "paper" or not account.client_id:
            continue
        user = (account.broker, account.client_id.upper(), account.rest_url)
        if user in seen:
            return f"{seen[user]} and {name} are the same user {account.client_id} of {account.broker}; keep one"
        seen[user] = name
    return None
