"""Whether a machine is of the open network, where everybody may be told something."""

import ipaddress
import socket

_COMPATIBLE, _TRANSLATED = ipaddress.IPv6Network("::/96"), ipaddress.IPv6Network("64:ff9b::/96")
_OWN = ("localhost", "localhost.localdomain", "ip6-localhost")


def may_be_open(host: str) -> bool:
    """Whether a host may be of the open network: a name may, until it is looked up."""
    if host.lower().rstrip(".") in _OWN:
        return False
    try:
        return is_open(host.partition("%")[0])
    except ValueError:
        pass
    try:  # 2130706433 and 0x7f.1 are read as 127.0.0.1 when they are looked up
        return is_open(socket.inet_ntoa(socket.inet_aton(host)))
    except (OSError, ValueError):
        return True


def is_open(address: str) -> bool:
    """Whether an address is of the open network, as is the one of IPv4 that it may lead to."""
    found = ipaddress.ip_address(address)
    if found.is_multicast or not found.is_global:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        return True
    within = [found.ipv4_mapped, found.sixtofour, *(found.teredo or ())]
    if found in _COMPATIBLE or found in _TRANSLATED:
        within.append(ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF))
    return not found.is_site_local and all(is_open(str(one)) for one in within if one is not None)
