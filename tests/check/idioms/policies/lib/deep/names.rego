package lib.deep.names

is_blue(name) if endswith(name, "-blue")
