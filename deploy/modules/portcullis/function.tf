data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  region  = data.aws_region.current.id
  account = data.aws_caller_identity.current.account_id
  arn     = "arn:${data.aws_partition.current.partition}"

  sweeps   = var.sweep.enabled == null ? var.memory.enabled : var.sweep.enabled
  listed   = sort(var.sweep.scanners == null ? setintersection(var.scanners, ["inspector2"]) : var.sweep.scanners)
  unlisted = setintersection(var.sweep.regions, flatten([for scanner in setsubtract(local.listed, var.unchecked_scanners) : lookup(local.absent, scanner, [])]))
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
    local.sweeps ? {
      SWEEP_SCANNERS      = join(",", local.listed)
      SWEEP_REGIONS       = join(",", sort(var.sweep.regions))
      SWEEP_UNTOLD_DAYS   = tostring(var.sweep.untold_days)
      SWEEP_EXPIRING_DAYS = tostring(var.sweep.expiring_days)
      SWEEP_UNUSED_DAYS   = tostring(var.sweep.unused_days)
      SWEEP_QUEUE_URL     = aws_sqs_queue.input["sweep"].url
    } : {},
  )

  # Two functions of one image and with one environment. Each has a queue, and a log group, of its own.
  functions = merge(
    {
      events = {
        name                = var.name
        description         = "Judges reports of open ports by policy, and alerts what is denied."
        timeout             = var.timeout
        memory_size         = var.memory_size
        batch_size          = var.batch_size
        batching_window     = var.batching_window
        maximum_concurrency = var.maximum_concurrency
        retention           = 1209600
      }
    },
    { for key in ["sweep"] : key => {
      name                = "${var.name}-sweep"
      description         = "Judges what is remembered as open again, for what no event tells."
      timeout             = 900
      memory_size         = var.sweep.memory_size
      batch_size          = 1
      batching_window     = 0
      maximum_concurrency = var.sweep.maximum_concurrency
      retention           = 86400 # the next sweep looks at everything again
    } if local.sweeps },
  )
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-dead-letters"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "input" {
  for_each = local.functions

  name                       = "${var.name}-${each.key}"
  message_retention_seconds  = each.value.retention
  visibility_timeout_seconds = 6 * each.value.timeout + each.value.batching_window
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.maximum_receives
  })
}

resource "aws_cloudwatch_log_group" "function" {
  for_each = local.functions

  name              = "/aws/lambda/${each.value.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_lambda_function" "function" {
  for_each = local.functions

  function_name = each.value.name
  description   = each.value.description
  role          = aws_iam_role.function.arn
  package_type  = "Image"
  image_uri     = var.image_uri
  architectures = [var.architecture]
  memory_size   = each.value.memory_size
  timeout       = each.value.timeout

  environment {
    variables = local.environment
  }

  logging_config {
    log_format = "Text" # the function writes JSON lines itself
    log_group  = aws_cloudwatch_log_group.function[each.key].name
  }

  lifecycle {
    precondition {
      condition     = each.key != "sweep" || length(local.unlisted) == 0
      error_message = "A scanner that the sweep lists is not in ${join(", ", local.unlisted)}: take that out of the regions of sweep. If AWS has the scanner there by now, name it in unchecked_scanners."
    }
  }

  depends_on = [aws_iam_role_policy.function] # the start reads the table
}

resource "aws_lambda_event_source_mapping" "input" {
  for_each = local.functions

  event_source_arn                   = aws_sqs_queue.input[each.key].arn
  function_name                      = aws_lambda_function.function[each.key].arn
  function_response_types            = ["ReportBatchItemFailures"]
  batch_size                         = each.value.batch_size
  maximum_batching_window_in_seconds = each.value.batching_window

  scaling_config {
    maximum_concurrency = each.value.maximum_concurrency
  }
}
