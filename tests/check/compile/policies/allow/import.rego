package allow

import data.accounts

allowance contains {"id": "import"} if input.reach == "internet"
