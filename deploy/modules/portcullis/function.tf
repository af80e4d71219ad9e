data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  region  = data.aws_region.current.name
  account = data.aws_caller_identity.current.account_id
  arn     = "arn:${data.aws_partition.current.partition}"

  looks_up = var.look_ups.sources || var.look_ups.groups || var.look_ups.containers || var.look_ups.tags != "never"

  environment = merge(
    {
      ALERT_TOPIC_ARN    = aws_sns_topic.alerts.arn
      ALERT_MAX_MESSAGES = tostring(var.alerts.max_messages)
      ALERT_MAX_BYTES    = tostring(var.alerts.max_bytes)
      ALERT_HTTPS_FORMAT = var.alerts.https_format
      ALERT_TEAM_TAG     = var.alerts.team_tag
    },
    local.looks_up ? {
      LOOK_UP_SOURCES    = tostring(var.look_ups.sources)
      LOOK_UP_TAGS       = var.look_ups.tags
      LOOK_UP_GROUPS     = tostring(var.look_ups.groups)
      LOOK_UP_CONTAINERS = tostring(var.look_ups.containers)
    } : {},
    var.look_ups.role_name != "" ? { LOOK_UP_ROLE_NAME = var.look_ups.role_name } : {},
    var.look_ups.external_id != "" ? { LOOK_UP_EXTERNAL_ID = var.look_ups.external_id } : {},
    var.memory.enabled ? {
      MODE                    = var.memory.mode
      MEMORY_TABLE            = aws_dynamodb_table.memory[0].name
      MEMORY_RETENTION_DAYS   = tostring(var.memory.retention_days)
      MEMORY_UNREAD_HOURS     = tostring(var.memory.unread_hours)
      MEMORY_FLAPPING_CHANGES = tostring(var.memory.flapping_changes)
      MEMORY_FLAPPING_HOURS   = tostring(var.memory.flapping_hours)
      MEMORY_REMINDER_DAYS    = tostring(var.memory.reminder_days)
    } : {},
  )
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_lambda_function" "portcullis" {
  function_name = var.name
  description   = "Judges reports of open ports by policy, and alerts what is denied."
  role          = aws_iam_role.function.arn
  package_type  = "Image"
  image_uri     = var.image_uri
  architectures = [var.architecture]
  memory_size   = var.memory_size
  timeout       = var.timeout

  environment {
    variables = local.environment
  }

  logging_config {
    log_format = "Text" # the function writes JSON lines itself
    log_group  = aws_cloudwatch_log_group.function.name
  }

  lifecycle {
    precondition {
      condition     = split(".", var.image_uri)[3] == local.region
      error_message = "The image is in ECR of ${split(".", var.image_uri)[3]}, and Lambda in ${local.region} takes none from there: push it to ECR in ${local.region}."
    }
  }

  depends_on = [aws_iam_role_policy.function] # the start reads the table
}

resource "aws_lambda_event_source_mapping" "events" {
  event_source_arn                   = aws_sqs_queue.events.arn
  function_name                      = aws_lambda_function.portcullis.arn
  function_response_types            = ["ReportBatchItemFailures"]
  batch_size                         = var.batch_size
  maximum_batching_window_in_seconds = var.batching_window

  scaling_config {
    maximum_concurrency = var.maximum_concurrency
  }
}
