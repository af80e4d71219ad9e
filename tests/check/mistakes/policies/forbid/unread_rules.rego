package forbid

prohibitions contains {"id": "unread"}

allowance contains {"id": "unread"}

default forbidden := true
