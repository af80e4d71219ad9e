package allows.web

allowances contains {"id": "in-allows"}
