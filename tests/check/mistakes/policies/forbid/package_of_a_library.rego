package lib.ports

_is_telnet(port) if port == 23
