package allow

allowances contains {"id": "unread"} if input.server.account in data.accounts.production

prohibition contains {"id": "unread"} if input.server.account in data.accounts.production

is_web if input.server.tags.Role == "web"

default allowed := true
