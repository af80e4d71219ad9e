# What the tests assume of a server when they do not say it themselves: the account, and in `server` any other field.
package policy_tests.defaults

account := "111122223333"
