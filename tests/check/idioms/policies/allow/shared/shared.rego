package allow.shared

is_known if input.server.tags_known
