package forbid

prohibition contains object.union({"id": "united"}, {"tcp": [21]}) if input.reach == "internet"
