package allow

allowance contains {"id": "function"} if startwith(input.server.name, "www")

allowance contains {"id": "unlike"} if no_such_function(input.server.name)

allowance contains {"id": "unused"} if {
	account := input.server.account
	input.reach == "internet"
}

allowance contains {"id": "unsafe"} if input.server.name == name
