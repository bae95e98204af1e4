---@meta
--- The protocol as the server has it. Generated from server/quotaline/render/wire.py by docs/generate.py (`make docs`).

---@alias quotaline.wire.Severity
---| "ok"
---| "warning"
---| "critical"
---| "stale"
---| "error"
---| "empty"

---@alias quotaline.wire.ErrorKind
---| "missing_credential"
---| "expired_credential"
---| "forbidden"
---| "rate_limited"
---| "unavailable"
---| "timeout"
---| "bad_response"
---| "missing_program"
---| "misconfigured"

---@alias quotaline.wire.Indicator
---| "none"
---| "minor"
---| "major"
---| "critical"
---| "maintenance"
---| "unknown"

---@alias quotaline.wire.CredentialKind
---| "key"
---| "cookie"

---@alias quotaline.wire.ReportFormat
---| "markdown"
---| "html"
---| "fragment"
---| "text"

--- As in LSP.
---@class quotaline.wire.MarkupContent
---@field kind "markdown"
---@field value string

--- What stands in the editor's status line.
---@class quotaline.wire.StatusLine
---@field text string "Claude 62% 2h · Codex 18%"
---@field severity quotaline.wire.Severity The worst of the providers'.
---@field hover quotaline.wire.MarkupContent All providers, for a tooltip.

--- An allowance over a period.
---@class quotaline.wire.Window
---@field id string "session", "weekly", ...: stable.
---@field label string
---@field text string "62% used, resets in 2h"; may be empty.
---@field usedPercent number|nil 0 to 100.
---@field used number|nil In `unit`.
---@field limit number|nil In `unit`.
---@field unit string|nil
---@field resetsAt string|nil
---@field windowMinutes integer|nil 43200 is one calendar month.
--- Whether its exhaustion stops the whole account; that of one model or feature does not.
---@field blocks boolean
---@field unlimited boolean There is no limit: a full bar of what is left, no percentage.

--- An amount that is left.
---@class quotaline.wire.Balance
---@field id string
---@field label string
---@field amount number|nil In `unit`; null for one that is too large for JSON.
---@field unit string A currency code, or a word such as "credits".
---@field text string "$18.40"

--- What a vendor's status page says.
---@class quotaline.wire.VendorStatus
---@field indicator quotaline.wire.Indicator
---@field label string "Operational", "Partial outage", "Major outage", ...
---@field description string|nil The vendor's own words.
---@field updatedAt string|nil When the vendor said so.
---@field url string|nil The page for people.

--- Why the last refresh failed.
---@class quotaline.wire.ProviderError
---@field kind quotaline.wire.ErrorKind
---@field message string What happened.
---@field hint string What to do next; may be empty.

--- One account of one provider.
---@class quotaline.wire.ProviderState
---@field id string "claude"; repeated when several accounts are shown.
---@field name string "Claude"
---@field text string This provider's part of a status line.
---@field severity quotaline.wire.Severity
---@field hover quotaline.wire.MarkupContent
---@field account string|nil Whose usage it is; null with `hideIdentity`.
---@field plan string|nil
---@field source string|nil The way it was read: "oauth", "codex-cli", ...
---@field updatedAt string|nil When the usage was read.
---@field stale boolean Older than it should be, or the last refresh failed.
---@field refreshing boolean Someone is reading it now.
---@field windows quotaline.wire.Window[]
---@field balances quotaline.wire.Balance[]
--- The id of the window, balance or spend that `text` shows; null when there is none.
---@field headline string|nil
--- Why the vendor says that the account cannot be used now, whatever the numbers say.
---@field blocked string|nil
---@field error quotaline.wire.ProviderError|nil Stands beside the last good usage.
--- What the vendor's status page says; null when not asked (`checkStatus`) or not known.
---@field status quotaline.wire.VendorStatus|nil
---@field dashboardUrl string|nil

--- All that is shown.
---@class quotaline.wire.UsageParams
---@field version 1
---@field statusLine quotaline.wire.StatusLine
---@field providers quotaline.wire.ProviderState[] In display order.
--- Why the server must be restarted to go on refreshing, in a sentence; null when it need not.
---@field restartDue string|nil

--- Why the server must be restarted to go on refreshing.
---@class quotaline.wire.RestartDueParams
---@field message string In a sentence for the user.

--- Which report is wanted.
---@class quotaline.wire.ReportParams
---@field format quotaline.wire.ReportFormat

--- The report of all providers at length.
---@class quotaline.wire.Report
---@field format quotaline.wire.ReportFormat
---@field content string

--- The report for a page of the client's own, in the format "fragment".
---@class quotaline.wire.ReportFragment: quotaline.wire.Report
---@field style string The style sheet that the content needs.

--- A provider that there is, shown or not.
---@class quotaline.wire.KnownProvider
---@field id string
---@field name string
---@field summary string What is shown of it, in a sentence.
---@field shown boolean
---@field signIn boolean Whether it has an interactive sign-in.
---@field connect string How to connect it, in a sentence.
---@field credentials quotaline.wire.CredentialKind[] What the user can give for it.
---@field keyUrl string|nil Where a key is made.
---@field dashboardUrl string|nil

--- All providers, by id.
---@class quotaline.wire.ProvidersResult
---@field providers quotaline.wire.KnownProvider[]

--- The URIs of the documents that have language features.
---@class quotaline.wire.DocumentsResult
---@field config string
---@field report string

--- What a refresh came to, for one account.
---@class quotaline.wire.Outcome
---@field id string
---@field account string|nil Its label; null for the provider's only account.
---@field ok boolean
--- Whether the vendor was asked. Not when a read a moment ago, another window's read or a promised wait answered.
---@field asked boolean
---@field message string|nil What went wrong and what to do next; null when nothing did.

--- One outcome per account that was to be read.
---@class quotaline.wire.RefreshResult
---@field outcomes quotaline.wire.Outcome[]

--- The address that was opened.
---@class quotaline.wire.DashboardResult
---@field url string

--- The document that was shown.
---@class quotaline.wire.DocumentResult
---@field uri string

--- What was done, in a sentence for the user.
---@class quotaline.wire.MessageResult
---@field message string

--- How a sign-in ended.
---@class quotaline.wire.SignInResult
---@field ok boolean
---@field message string What happened or what to do, in a sentence for the user.

--- Where a credential was kept.
---@class quotaline.wire.SetCredentialResult
---@field kept "keyring"|"config"
---@field message string The same in a sentence for the user.
