package forbid.web

prohibition contains {"id": "unread"}
