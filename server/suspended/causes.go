package suspended

// Cause is why a ticket is suspended.
type Cause struct {
	ID   int
	Name string
	Text string // for people
}

// Causes that helpd itself finds. All are in Causes.
const (
	SignupRequired = 12 // whoever writes is no registered user
	Blocklisted    = 13 // the account has suspended the user
	LoggedOut      = 21 // a registered user wrote without signing in
)

// Causes are all that clients know, by their ids (contract
// attachments_requests.md §5).
var Causes = []Cause{
	{0, "spam", "Detected as spam"},
	{1, "not_on_whitelist", "Sender domain not on allowlist"},
	{2, "unverified", "Submitted by unverified user"},
	{3, "auto_mailer", "Automated response mail"},
	{4, "loop", "Detected as mail loop"},
	{5, "unknown_user_update", "Unknown user tried to update existing ticket"},
	{6, "other_user_update", "End user only allowed to update their own tickets"},
	{7, "auto_delivery_failure", "Automated response mail, delivery failed"},
	{8, "auto_vacation", "Automated response mail, out of office"},
	{9, "system_user", "Detected email as being from a system user"},
	{10, "unknown_author", "Permission denied for unknown email submitter"},
	{11, "blank", "Email has no content"},
	{SignupRequired, "signup_required", "User must sign up to submit email, user notified"},
	{Blocklisted, "blocklisted", "Email is from a blocklisted sender or domain"},
	{14, "backscatter", "Backscatter from remote mail server"},
	{15, "disabled", "Email integration disabled"},
	{16, "to_noreply", `Email for "noreply" address`},
	{17, "server_lock", "Received via unknown mail server"},
	{18, "unserviceable_account", "account expired"},
	{19, "unprocessable_email", "Automatic email processing failed"},
	{20, "unauthenticated_email_update", "Permission denied due to unauthenticated email update"},
	{LoggedOut, "registered_user_logged_out", "Submitted by registered user while logged out"},
	{22, "from_support_address", "Received from Support email address"},
	{23, "from_zendesk_account", "Email is from another account"},
	{24, "content_processor_timed_out", "Email took too long to process"},
	{25, "malware_detected", "Malware detected"},
	{26, "failed_email_authentication", "Email authentication failed"},
	{27, "from_noreply", `Email from "noreply" address`},
	{28, "account_owner_email_unverified", "Submitted by unverified account owner"},
	{29, "malicious_pattern_detected", "Content pattern detected as malicious"},
	{30, "number_recipients_exceeded", "CCs/followers limit reached (48)"},
}

// CauseOf is the cause with the id, which must be one of Causes.
func CauseOf(id int) Cause { return Causes[id] }
