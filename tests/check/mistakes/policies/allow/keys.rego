package allow

allowance contains {["tcp"]: 1}

allowance contains {{"tcp"}: 1}

allowance contains {{"tcp": 1}: 1}
