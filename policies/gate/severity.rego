package gate

# METADATA
# description: |
#   The ports that administer a server: open to anywhere, they are critical. A list of data.ports.administrative takes the
#   place of that of its protocol.
administrative_ports := {
	"tcp": [
		21, 22, 23, 135, 139, 445, 1433, 1521, 2375, 2376, 3306, 3389, 5432, 5900, 5985, 5986, 6379, 9200, 9300, 11211,
		27017,
	],
	"udp": [69, 161, 623, 11211],
}

_administrative(protocol) := ports if {
	ports := data.ports.administrative[protocol]
	is_array(ports)
} else := administrative_ports[protocol]

# The worst of what is denied; a finding that cannot be judged is as bad as an open port.
_severity("allow", _, _) := "none"

_severity("deny", undecidable, denied) := [severity |
	some severity in ["critical", "high", "medium"]
	severity in grades
][0] if {
	grades := ({entry.severity | some [_, _, _, _, _, _, entry] in denied} | {"high" | undecidable}) | {"medium"}
}

# How bad a denied range of ports is.
_grade(protocol, first, last, source) := "medium" if not _is_anywhere(source)

else := "critical" if [first, last] == [0, 65535]

else := "critical" if first in _administrative(protocol)

else := "critical" if {
	first < last
	some port in _administrative(protocol)
	port > first
	port <= last
} else := "high"

_is_anywhere("unknown")

_is_anywhere(source) if endswith(source, "/0")
