package forbid

prohibition contains {"id": "misspelt"} if input.raech == "internet"
