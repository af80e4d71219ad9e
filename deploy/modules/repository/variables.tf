variable "name" {
  description = "The name of the repository."
  type        = string
  default     = "portcullis"

  validation {
    condition     = can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", var.name))
    error_message = "Write a name that ECR takes: lower case letters, digits and single separators, as in \"portcullis\"."
  }
}

variable "function_accounts" {
  description = "The other accounts whose functions run the image."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for account in var.function_accounts : can(regex("^[0-9]{12}$", account))])
    error_message = "Write the ids of accounts, 12 digits each."
  }
}
