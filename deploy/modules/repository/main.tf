data "aws_partition" "current" {}

resource "aws_ecr_repository" "portcullis" {
  name                 = var.name
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }
}

# Lambda asks for the image again whenever it makes an instance of the function, in the account of the function.
resource "aws_ecr_repository_policy" "portcullis" {
  count = length(var.function_accounts) > 0 ? 1 : 0

  repository = aws_ecr_repository.portcullis.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "WhoDeploys"
        Effect    = "Allow"
        Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Principal = { AWS = [for account in sort(var.function_accounts) : "arn:${data.aws_partition.current.partition}:iam::${account}:root"] }
      },
      {
        Sid       = "Lambda"
        Effect    = "Allow"
        Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Principal = { Service = "lambda.amazonaws.com" }
        Condition = {
          ArnLike = { "aws:SourceArn" = [for account in sort(var.function_accounts) : "arn:${data.aws_partition.current.partition}:lambda:*:${account}:function:*"] }
        }
      },
    ]
  })
}
