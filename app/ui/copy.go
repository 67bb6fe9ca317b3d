package ui

import "strings"

// Words are what a code says to people. The server sends codes and safe values
// only; the words are here. Values stand in braces and are put in with With.
type Words struct {
	Title   string
	Text    string
	Actions []string // labels, in order; what they do is the page's
}

// Copy finds the words for a code. An unknown code says that something broke on
// our side, which is true: a code without words is a defect.
func Copy(code string) Words {
	if w, ok := copyTable[code]; ok {
		return w
	}
	return copyTable["server_error"]
}

// Known reports whether a code has words of its own.
func Known(code string) bool {
	_, ok := copyTable[code]
	return ok
}

// EndCopy finds the words for an end cause of a session. What an end is called
// differs from what a refusal of the same name is called. A cause that is missing, or
// newer than this page, isn't taken for a fault.
func EndCopy(cause string) Words {
	if w, ok := copyTable[endPrefix+cause]; ok {
		return w
	}
	return copyTable["ended_unknown"]
}

// With puts values in: name, value, name, value.
func (w Words) With(pairs ...string) Words {
	braced := make([]string, len(pairs))
	for i, p := range pairs {
		braced[i] = p
		if i%2 == 0 {
			braced[i] = "{" + p + "}"
		}
	}
	r := strings.NewReplacer(braced...)
	w.Title, w.Text = r.Replace(w.Title), r.Replace(w.Text)
	return w
}

// Action is the label of the nth action, or "" if there is none.
func (w Words) Action(n int) string {
	if n < len(w.Actions) {
		return w.Actions[n]
	}
	return ""
}

const endPrefix = "ended:"

// copyTable holds all words for codes. Nothing writes to it. Rules: sentence
// case, no "please", no "oops", no exclamation; the user is never to blame; a
// number where there is one.
var copyTable = map[string]Words{
	// The microphone.
	"mic_ask":           {"", "Parley needs your microphone for the call. Your browser will ask you next.", []string{"Check microphone"}},
	"mic_denied":        {"Microphone is blocked", "Your browser is set to block the microphone for this site. Click the icon left of the address, allow Microphone, then come back.", []string{"Try again", "Show me how"}},
	"mic_help":          {"Allow the microphone", "", nil},
	"mic_denied_system": {"Your device blocks the microphone", "Allow it for your browser in system settings (Privacy → Microphone).", []string{"Try again"}},
	"mic_none":          {"No microphone found", "Plug one in or connect a headset. We'll notice by ourselves.", []string{"Check again"}},
	"mic_busy":          {"Microphone is in use", "Another app or tab is using it. Close that app, then try again.", []string{"Try again"}},
	"mic_lost":          {"Microphone disconnected", "Choose another to go on.", []string{"Choose"}},
	"mic_switched":      {"Microphone disconnected", "We switched to \"{name}\".", []string{"Choose"}},
	"mic_unchanged":     {"", "\"{name}\" couldn't be opened. You go on with the one before.", []string{"Choose"}},
	"mic_plugged":       {"", "\"{name}\" was plugged in.", []string{"Use it"}},
	"mic_unplugged":     {"", "\"{name}\" was unplugged.", nil},
	"mic_paused":        {"", "Your microphone was paused while Parley was in the background ({time}).", nil},
	"mic_held":          {"", "Your device paused the microphone ({time}).", nil},
	"mic_paused_now":    {"Your device paused the microphone", "The agent can't hear you until it goes on.", nil},
	"screen_dims":       {"", "Your screen may dim; the call goes on.", nil},
	"mic_silent":        {"", "We can't hear anything yet. Is the right microphone chosen, and is it unmuted on the device?", nil},
	"mic_heard":         {"", "We can hear you.", nil},
	"mic_unheard":       {"", "We can't hear you yet.", nil},
	"mic_no_level":      {"", "This browser doesn't show how loud you are. You can start the call.", nil},
	"mic_listening":     {"", "Say hello to test your mic.", nil},
	"insecure":          {"This page isn't secure", "Browsers allow the microphone only on https. Open Parley with https://.", []string{"Open https"}},
	"unsupported":       {"This browser can't make calls", "Use a current Chrome, Edge, Firefox or Safari.", nil},
	"audio_blocked":     {"Tap to hear the agent", "Your browser paused the sound.", []string{"Turn on sound"}},

	// Getting a line.
	"unauthorized":  {"Your sign-in expired", "Sign in again; you'll come right back here.", []string{"Sign in"}},
	"token_expired": {"Your sign-in expired", "Sign in again; you'll come right back here.", []string{"Sign in"}},
	"read_only":     {"Read only", "You may look at everything here, and change nothing.", nil},
	"forbidden":     {"You can't start calls", "Your account doesn't have call rights on this server.", nil},
	"cap_reached":   {"All lines are busy", "{lines}. We'll try again in {seconds} and keep your place on this screen.", []string{"Try now", "Stop trying"}},
	"cap_stopped":   {"All lines are busy", "{lines}.", []string{"Try again"}},
	"user_cap":      {"You're already in a call", "In another tab or device{since}.", []string{"Move it here", "Cancel"}},
	"org_cap":       {"Your organization's lines are busy", "{lines}. We'll try again in {seconds} and keep your place on this screen.", []string{"Try now", "Stop trying"}},
	"org_stopped":   {"Your organization's lines are busy", "{lines}.", []string{"Try again"}},
	"draining":      {"This server is restarting", "New calls start again in a moment.", []string{"Try again"}},
	"draining_wait": {"This server is restarting", "New calls start on another line. Connecting you there…", []string{"Try now", "Stop trying"}},
	"paused":        {"Calls are paused", "Calls that are on go on; new ones start again when an admin of this server says so.", []string{"Try again"}},
	"privacy_block": {"Calls are paused", "Privacy protection isn't active on this server, so no call may start.", nil},
	"rate_limited":  {"Slow down a little", "You can try again in {seconds}.", nil},
	"offline":       {"You're offline", "Calls need a connection. We'll tell you when you're back.", nil},
	"server_error":  {"Something broke on our side", "It's been logged.", []string{"Try again"}},

	// Setting up.
	"ice_failed":        {"Couldn't connect the call", "Your network blocks call traffic (UDP and the relay). Try mobile data, or turn off the VPN.", []string{"Try again"}},
	"dtls_failed":       {"Couldn't secure the line", "Encryption could not be set up, so we didn't connect.", []string{"Try again"}},
	"device_busy":       {"Your device is busy", "It took too long to set the call up. Close other tabs, then try again.", []string{"Try again"}},
	"unreachable":       {"We can't reach the server", "Check your connection, then try again.", []string{"Try again"}},
	"lost":              {"Connection lost", "We tried for {grace}.", []string{"Call again"}},
	"agent_unavailable": {"The agent isn't answering", "The line is fine, the agent behind it isn't.", []string{"Try again"}},
	"setup_slow":        {"", "Taking longer than usual.", nil},

	// In the call.
	"ice_disconnected":  {"Reconnecting…", "Your place is kept for {seconds}.", []string{"End call"}},
	"timeout_warn":      {"Still there?", "This call ends in {left} because it's been quiet.", []string{"Keep talking"}},
	"timeout_thanks":    {"", "Good, still here.", nil},
	"max_length":        {"This call ends in {left}", "Calls on this server last {max} at most.", []string{"OK"}},
	"draining_call":     {"Short interruption coming", "The server restarts in {left}. Your call ends then.", []string{"OK"}},
	"draining_moves":    {"Short interruption coming", "The server restarts in {left}. Your call moves to another line, with a pause of about 2 s.", []string{"OK"}},
	"end_near":          {"This call ends in {left}", "The server gave no reason that this page knows.", []string{"OK"}},
	"budget_warn":       {"This call ends in {left}", "What this account may spend on calls is nearly used up.", []string{"OK"}},
	"agent_stuck_warn":  {"The agent isn't responding", "This call ends in {left} unless it comes back. Your line is fine.", []string{"OK"}},
	"budget_spent":      {"The budget is used up", "This account has used what it may spend on calls today. Try again tomorrow.", nil},
	"muted_speaking":    {"", "You're muted. Press M to unmute, or hold Space to talk.", nil},
	"muted_speaking_at": {"", "You're muted. Press Unmute to be heard.", nil}, // where no key does it
	"sign_in_ends":      {"Your sign-in ends in {left}", "Your call ends when your sign-in does.", []string{"Sign in again", "OK"}},
	"sign_in_renewed":   {"", "Your new sign-in goes for this call, too.", nil},
	"agent_slow":        {"The agent is thinking", "Longer than usual ({seconds}). Your line is fine.", nil},
	"no_answers":        {"", "Each answer of the agent's shows here: how long it took to begin, and why.", nil},
	"captions_none":     {"", "What is said shows here.", nil},
	"captions_note":     {"", "Captions live only on this screen. They're gone when you close it.", nil},
	"no_stats":          {"", "No figures yet. They come with the first seconds of sound.", nil},
	"too_short":         {"", "Too short to rate.", nil},
	"no_voices":         {"", "No turns were measured, so only the line is drawn.", nil},
	"nothing_happened":  {"", "On the line, nothing out of the ordinary.", nil},
	"rating_thanks":     {"", "Thanks, noted.", nil},
	"rating_unsaved":    {"", "That wasn't saved. Try again.", nil},
	"no_calls":          {"No calls yet", "Your calls will show here, without audio.", []string{"Start a call"}},
	"call_live":         {"This call goes on", "Its summary is here when it's over.", nil},
	"call_not_found":    {"This call isn't here", "It may be someone else's, or what was kept of it is gone.", []string{"My calls"}},
	"privacy_line":      {"", "Audio is never stored.", nil},
	"agents_unknown":    {"", "Shown when a call can start.", nil},
	"line_loss":         {"", "Some of it gets lost on the way. Move closer to your Wi-Fi, or switch to mobile data.", nil},
	"line_unreached":    {"", "We couldn't check the line. You can start anyway.", nil},
	"way_tcp":           {"", "No UDP gets through from here. Your call goes over TCP and may lag a little.", nil},
	"way_tls":           {"", "Neither UDP nor the call's own port gets through from here. Your call goes through a relay over TLS and may lag a little.", nil},
	"way_none":          {"", "No call traffic gets through from here. Try mobile data, or turn off the VPN. You can start anyway.", nil},
	"speaker_default":   {"", "Uses your device's speaker.", nil},
	"speaker_playing":   {"", "Listen…", nil},
	"speaker_played":    {"", "If you heard three notes, you'll hear the agent.", nil},
	"speaker_unheard":   {"", "Turn up the volume of your device, or choose another speaker. Then play it again.", nil},
	"speaker_failed":    {"", "The sound couldn't be played. Choose another speaker, or check the volume of your device.", nil},
	"privacy_off":       {"", "Privacy mode is off on this server. Ask the operator what that means.", nil},
	"settings_kept":     {"", "These stay in this browser.", nil},
	"devices_unknown":   {"", "Microphones and speakers show here once you've allowed the microphone.", nil},
	"install":           {"", "Install Parley: one tap to call.", []string{"Install Parley"}},
	"install_apple":     {"", "Tap Share, then Add to Home Screen.", nil},
	"install_none":      {"", "This browser doesn't offer to install it, or it is installed already.", nil},
	"headphones":        {"", "Headphones give the best result.", nil},
	"interrupt":         {"", "Just start talking to interrupt.", nil},
	"leave_question":    {"", "End this call?", []string{"End call", "Stay"}},
	"copy_refused":      {"Copy it yourself", "Your browser didn't let us copy this. It's selected: press Ctrl+C, or ⌘C on a Mac.", nil},
	"demo_data":         {"Demo data", "Calls of demo- users and agents are made up.", nil},
	"demo":              {"Demo server", "Admin rights here don't carry over to production.", nil},
	"not_found":         {"There's nothing here", "The address may be mistyped, or what it showed is gone.", []string{"Back to call"}},
	"admins_only":       {"Admins only", "Your account can't open this page. If you need it, ask whoever runs this server.", []string{"Back to call"}},
	"update_ready":      {"A new version is ready", "It takes a second.", []string{"Update", "Later"}},
	"install_offer":     {"Install Parley", "One tap to call.", []string{"Install", "Not now"}},
	"install_on_apple":  {"Install Parley", "Tap Share, then Add to Home Screen.", []string{"OK"}},
	"admin_apart":       {"Your call goes on here", "Admin pages open in a tab of their own while a call is up, so that it isn't ended.", []string{"Open in a new tab"}},
	"address_forbidden": {"This page isn't available from your network", "Your address isn't on this server's admin list.", nil},

	// Signing in.
	"sign_in_bad":        {"", "This token isn't valid for this server.", nil},
	"sign_in_expired":    {"", "This token has expired. Ask for a new one.", nil},
	"sign_in_many":       {"", "Too many tries. You can try again in {seconds}.", nil},
	"sign_in_down":       {"", "We can't reach the server. Check your connection, then try again.", nil},
	"sign_in_over":       {"", "Your session ended. Sign in to continue.", nil},
	"sign_in_empty":      {"", "Paste the token you were given.", nil},
	"sign_in_passkey":    {"", "That isn't this server's passkey.", nil},
	"sign_in_no_passkey": {"", "Type the passkey that the server printed at its start.", nil},

	// Why somebody comes back from the identity provider without being signed in.
	"sign_in:provider_canceled":  {"", "You weren't signed in. You can try again.", nil},
	"sign_in:provider_down":      {"", "The sign-in service doesn't answer. Try again in a minute.", nil},
	"sign_in:provider_forbidden": {"", "Your account may not use this server. Ask whoever runs it.", nil},
	"sign_in:provider_expired":   {"", "That took too long, or began in another browser. Try again.", nil},
	"sign_in:provider_untrusted": {"", "The sign-in service's answer didn't hold. Try again; if it goes on, tell whoever runs this server.", nil},

	// Why a call ended.
	"ended_unknown":            {"Call ended", "The server gave no reason that this page knows.", []string{"Call again"}},
	"ended:caller_left":        {"Call ended", "You ended the call.", []string{"Start again"}},
	"ended:agent_left":         {"Call ended", "The agent ended the call.", []string{"Start again"}},
	"ended:idle_timeout":       {"Call ended: quiet for {idle}", "Nothing was said, so we closed the line.", []string{"Call again"}},
	"ended:max_duration":       {"Call ended: time is up", "Calls on this server last {max} at most.", []string{"Call again"}},
	"ended:admin_ended":        {"An admin ended this call", "Reason: {reason}", []string{"Call again"}},
	"ended:revoked":            {"Your access was withdrawn", "An admin ended your calls and your sign-in.", []string{"Sign in"}},
	"ended:signed_out":         {"You were signed out", "", []string{"Sign in"}}, // the server says by whom
	"ended:token_expired":      {"Your sign-in expired", "Sign in again; you'll come right back here.", []string{"Sign in"}},
	"ended:budget_spent":       {"Call ended: the budget is used up", "This account has used what it may spend on calls.", nil},
	"ended:media_failed":       {"Couldn't connect the call", "Sound could not flow between you and the server. Try mobile data, or turn off the VPN.", []string{"Try again"}},
	"ended:connection_lost":    {"Connection lost", "We tried for {grace}.", []string{"Call again"}},
	"ended:agent_unavailable":  {"The agent isn't answering", "The line is fine, the agent behind it isn't.", []string{"Try again"}},
	"ended:privacy_blocked":    {"Calls are paused", "Privacy protection isn't active on this server, so no call may run.", nil},
	"ended:server_shutdown":    {"The server restarted", "Your call ended with it. You can call again in a moment.", []string{"Call again"}},
	"ended:slow_client":        {"The line fell behind", "This page could not take in what the server sent, so the line was closed.", []string{"Call again"}},
	"ended:rate_limited":       {"Slow down a little", "This page sent more than the server takes. Wait a moment, then call again.", []string{"Call again"}},
	"ended:protocol_error":     {"Something broke on our side", "Page and server didn't understand each other. Reload the page, then call again.", []string{"Call again"}},
	"ended:agent_silent":       {"The agent went silent", "It said it was speaking, but no sound came from it. Your line is fine.", []string{"Call again"}},
	"ended:agent_unresponsive": {"The agent stopped responding", "It no longer noticed what you said. Your line is fine.", []string{"Call again"}},
	"ended:response_timeout":   {"The agent got stuck", "It began an answer and never finished it. Your line is fine.", []string{"Call again"}},
	"ended:agent_lost":         {"We lost the agent", "The connection between this server and the agent broke. Your line is fine.", []string{"Call again"}},
	"ended:node_lost":          {"This call's server dropped out", "Your call ended with it. Others are up: you can call again now.", []string{"Call again"}},
	"ended:replaced":           {"Your call moved", "It goes on in another tab or device.", []string{"Start here"}},
}

// AgentWord is what the agent is doing, under the orb.
func AgentWord(state string) string {
	switch state {
	case "connecting":
		return "Waiting for the agent"
	case "listening":
		return "Agent is listening"
	case "thinking":
		return "Agent is thinking"
	case "speaking":
		return "Agent is speaking"
	}
	return "Connected"
}

// EndWord is an end cause in a few words, for tables.
func EndWord(cause string) string {
	switch cause {
	case "caller_left":
		return "caller ended"
	case "agent_left":
		return "agent ended"
	case "idle_timeout":
		return "quiet too long"
	case "max_duration":
		return "longest time reached"
	case "admin_ended":
		return "ended by an admin"
	case "revoked":
		return "access withdrawn"
	case "token_expired":
		return "sign-in expired"
	case "budget_spent":
		return "budget used up"
	case "media_failed":
		return "no sound path"
	case "connection_lost":
		return "connection lost"
	case "agent_unavailable":
		return "agent didn't answer"
	case "privacy_blocked":
		return "privacy protection off"
	case "server_shutdown":
		return "server restart"
	case "slow_client":
		return "page fell behind"
	case "rate_limited":
		return "sent too much"
	case "protocol_error":
		return "protocol error"
	case "replaced":
		return "moved to another tab"
	case "agent_silent":
		return "agent went silent"
	case "agent_unresponsive":
		return "agent stopped responding"
	case "response_timeout":
		return "agent didn't finish"
	case "agent_lost":
		return "agent's connection lost"
	case "node_lost":
		return "server dropped out"
	}
	return "reason unknown"
}
