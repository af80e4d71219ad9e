package gate

# The readings of statements that were made when their folder was checked. Each holds as long as the statement is the same
# and, where its words name networks, these are too; nothing else goes into it.

_registered(kind, value) := reading if {
	[registered, networks, reading] := data._portcullis.register[kind][value.id]
	registered == value
	networks == {word: listed | some word in reading.words; listed := data.networks[word]}
}
