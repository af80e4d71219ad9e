# METADATA
# description: A package may tell OPA its schema itself.
# scope: subpackages
# schemas:
#   - input: schema.finding
package forbid

import data.accounts as known
import data.ports

# Account lists by a variable, and a name that is an import's elsewhere.

prohibition contains {
	"id": "no-ftp-1",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	some list in ["production", "staging"]
	input.server.account in data.accounts[list]
}

prohibition contains {
	"id": "no-ftp-2",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	ports := {port |
		some name in ["administrative"]
		some port in data.ports[name].tcp
	}
	lists := {list |
		some name in ["staging"]
		list := data.accounts[name]
	}
	count(ports) + count(lists) > 0
}

prohibition contains {
	"id": "no-ftp-3",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	some list, _ in data.accounts
	input.server.account in data.accounts[list]
}

prohibition contains {
	"id": "no-ftp-4",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	some list in [input.server.region, "x"]
	not list in {"x"}
}

prohibition contains {
	"id": "no-ftp-5",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	some accounts in [{"region": "eu-west-1"}]
	input.server.region == accounts.region
}

prohibition contains {
	"id": "no-ftp-6",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	ports := {"region": "eu-west-1"}
	input.server.region == ports.region
}

prohibition contains {
	"id": "no-ftp-7",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	_is_in({"region": "eu-west-1"})
}

_is_in(known) if input.server.region == known.region

prohibition contains {
	"id": "no-ftp-8",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	input.server.account in known.staging
	count(ports.administrative.udp) == 0
}

prohibition contains {
	"id": "no-ftp-9",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	every list in ["staging", "production"] {
		not input.server.account in data.accounts[list]
	}
}

prohibition contains {
	"id": "no-ftp-10",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Test",
} if {
	not input.server.account in known.staging
	not input.server.account in known.partners
}
