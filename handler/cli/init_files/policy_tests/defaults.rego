# What the tests assume of a server where they do not say it: the account, and in `server` any other field.
package policy_tests.defaults

account := data.accounts.production[0]

server := {"region": "eu-west-1"}
