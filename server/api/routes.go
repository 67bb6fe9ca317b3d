package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parley/shared/rest"
)

// rightKey is where an operation carries its right.
const rightKey = "right"

func (a *API) routes() {
	on(a, http.MethodGet, rest.PathHealth, anyone, "Alive", a.health)
	on(a, http.MethodGet, rest.PathReady, anyone, "Ready for calls", a.ready)
	on(a, http.MethodGet, rest.PathMe, user, "Who you are and what you may do", a.me)
	on(a, http.MethodGet, rest.PathAdmission, user, "May a call start now", a.admission)
	on(a, http.MethodPost, rest.PathTicket, user, "A ticket for one socket, for 30 seconds: subprotocol parley.ticket.{ticket}", a.ticket)
	on(a, http.MethodGet, rest.PathOwnSessions, user, "Your sessions, the last begun first", a.ownSessions)
	on(a, http.MethodGet, rest.PathOwnSession, user, "One of your sessions", a.ownSession)
	on(a, http.MethodPost, rest.PathEndOwn, user, "End one of your sessions, wherever it is held", a.endOwn)
	on(a, http.MethodPut, rest.PathRating, user, "Say how one of your sessions was", a.rateOwn)
	on(a, http.MethodGet, rest.PathConnection, user, "Quality of a session, for its owner and admins", a.connection)
	a.watchRoutes()
	a.changeRoutes()
	a.exportRoutes()

	a.raw(http.MethodPost, rest.PathAuthSession, bearer, "Sign in: the token becomes a cookie", "", a.signIn)
	a.raw(http.MethodDelete, rest.PathAuthSession, user, "Sign out: the token is revoked", "", a.signOut)
	a.describeSignOut()
	a.raw(http.MethodGet, rest.PathStream, admin, "What changes, as server-sent events. Of a row that was told before, upsert has what changed (JSON merge patch, RFC 7396), and mos_trend_add the seconds behind its trend. activity_count counts the activities since the server started: what it grew by beyond those that came was missed", "text/event-stream", a.stream)
	a.personRoute()
	a.raw(http.MethodGet, rest.PathMetrics, scraper, "Figures as Prometheus text, for admins and the metrics token", "text/plain", a.metrics)
	a.providerRoutes()
	a.demoRoutes()
	// The socket has guards of its own, in an order of its own.
	a.mux.Handle("GET "+rest.PathSocket, a.Socket)
	a.describeSocket()
	a.callRoutes()
}

// callRoutes are those of OpenAI's clients. Their handler has guards of its own, like
// the socket's.
func (a *API) callRoutes() {
	for _, c := range callOperations() {
		a.mux.Handle(c.method+" "+c.path, a.Calls)
		a.describeCall(c)
	}
}

// watchRoutes are what admins read.
func (a *API) watchRoutes() {
	on(a, http.MethodGet, rest.PathStats, admin, "Counts of sessions", counted(a, "stats", a.stats))
	on(a, http.MethodGet, rest.PathActive, admin, "Live sessions, oldest first", a.active)
	on(a, http.MethodGet, rest.PathHistory, admin, "How calls were over some time, in buckets; it names nobody", counted(a, "history", a.history))
	on(a, http.MethodGet, rest.PathTotals, admin, "Calls, minutes and users of all time and by day, which outlive restarts and retention", counted(a, "totals", a.totals))
	on(a, http.MethodGet, rest.PathSessions, admin, "Ended sessions, the last begun first", a.sessions)
	on(a, http.MethodGet, rest.PathSession, admin, "One session, live or ended", a.session)
	on(a, http.MethodGet, rest.PathLogs, admin, "Access log, newest first", a.logs)
	on(a, http.MethodGet, rest.PathLogCounts, admin, "How many lines of the access log there were in equal parts of a time", a.logCounts)
	on(a, http.MethodGet, rest.PathActivities, admin, "Activities, newest first, 1,000 at most", a.activities)
	on(a, http.MethodGet, rest.PathRevocations, admin, "Whose tokens are refused, the last made first", a.revocations)
	on(a, http.MethodGet, rest.PathUsage, admin, "What agents used and what it costs, summed, what began last first", a.usage)
	on(a, http.MethodGet, rest.PathAgents, operator, "How each agent does", counted(a, "agents", a.agents))
	on(a, http.MethodGet, rest.PathNodes, operator, "The servers of the cluster, by their names; where the server is alone, that one", counted(a, "nodes", a.nodes))
	on(a, http.MethodGet, rest.PathAudit, admin, "Audit log, newest first, with the state of its chain", a.audit)
	on(a, http.MethodGet, rest.PathAuditCounts, admin, "How many lines of the audit log there were in equal parts of a time", a.auditCounts)
	on(a, http.MethodGet, rest.PathPrivacy, admin, "What protects callers, with the evidence", counted(a, "privacy", a.privacy))
	on(a, http.MethodGet, rest.PathSettings, admin, "Runtime settings", counted(a, "settings", a.settings))
	on(a, http.MethodGet, rest.PathMonitorHealth, operator, "How the server does", counted(a, "health", a.monitorHealth))
	on(a, http.MethodGet, rest.PathAlerts, admin, "Alerts, the last raised first", counted(a, "alerts", a.alerts))
	on(a, http.MethodGet, rest.PathAlertRules, operator, "Alert rules and webhooks", counted(a, "alert_rules", a.rules))
	on(a, http.MethodGet, rest.PathAlertPreview, operator, "What a rule would have fired over the last day", counted(a, "alert_preview", a.preview))
	on(a, http.MethodGet, rest.PathDeliveries, operator, "Deliveries to webhooks of late, the last taken first, 100 at most", counted(a, "webhook_deliveries", a.deliveries))
}

// changeRoutes are what admins do. What holds for the whole server is not for
// who administers one organization.
func (a *API) changeRoutes() {
	on(a, http.MethodPost, rest.PathEnd, admin, "End a session now", a.end)
	on(a, http.MethodPost, rest.PathExtend, admin, "Begin a session's idle time anew, as if its caller had spoken", a.extend)
	on(a, http.MethodPost, rest.PathRevokeUser, admin, "End a user's sessions and refuse their tokens", a.revokeUser)
	on(a, http.MethodPost, rest.PathRevokeSession, admin, "The same for who holds or held a session", a.revokeSession)
	on(a, http.MethodDelete, rest.PathRevocation, admin, "Take a revocation back", a.restore)
	on(a, http.MethodDelete, rest.PathPersonData, admin, "Erase what is kept about one person", a.erasePerson)
	on(a, http.MethodPost, rest.PathReveal, admin, "Who holds a live session, unmasked", a.reveal)
	on(a, http.MethodPost, rest.PathAcknowledge, admin, "Take an alert", a.acknowledge)
	on(a, http.MethodPost, rest.PathSilence, admin, "Silence an alert", a.silence)
	on(a, http.MethodPut, rest.PathAlertRules, operator, "Replace alert rules and webhooks", a.putRules)
	on(a, http.MethodPost, rest.PathAlertTest, operator, "Send a test to each webhook", a.testWebhooks)
	on(a, http.MethodPost, rest.PathAgentCheck, operator, "Make a trial call to an agent, which may cost money", a.checkAgent)
	on(a, http.MethodPatch, rest.PathSettings, operator, "Change runtime settings", a.patchSettings)
	on(a, http.MethodPost, rest.PathTimeout, operator, "Set the idle timeout, for live sessions too", a.setTimeout)
	on(a, http.MethodPost, rest.PathCheckTimeouts, operator, "End what is overdue now", a.checkTimeouts)
	on(a, http.MethodPost, rest.PathEnable, operator, "Turn monitoring on", a.enable)
	on(a, http.MethodPost, rest.PathPause, operator, "Refuse new calls (paused); live ones go on", a.pause)
	on(a, http.MethodPost, rest.PathDrainNode, operator, "Have a server of the cluster take no new calls; those that are on go on", a.drainNode)
	on(a, http.MethodPost, rest.PathUndrainNode, operator, "Have it take new calls again", a.undrainNode)
	on(a, http.MethodPost, rest.PathEndNodeCalls, operator, "End all calls of a server of the cluster now", a.endNodeCalls)
	on(a, http.MethodPost, rest.PathResume, operator, "Let new calls in again", a.resume)
	on(a, http.MethodPost, rest.PathDisable, operator, "Turn monitoring off", a.disable)
}

// on registers one operation. What it answers is never cached.
func on[I, O any](a *API, method, path string, need right, summary string,
	do func(context.Context, *I) (*O, error),
) {
	op := huma.Operation{
		OperationID: operationID(method, path),
		Method:      method,
		Path:        path,
		Summary:     summary,
		Description: need.String(),
		Metadata:    map[string]any{rightKey: need},
		Responses:   a.problemResponse(),
		Security:    need.security(),
	}
	if reflect.TypeFor[O]() == reflect.TypeFor[huma.StreamResponse]() {
		op.Responses["200"] = fileResponse(summary)
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, failure{a.problem(ctx, err)}
		}
		return out, nil
	})
}

// adapter puts every operation behind the same guard as the raw routes.
type adapter struct{ api *API }

// Handle implements huma.Adapter.
func (d *adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	need, _ := op.Metadata[rightKey].(right)
	d.api.mux.HandleFunc(op.Method+" "+op.Path, d.api.guard(need, d.api.bodySchema(op),
		func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Accept") // there is one form; huma would negotiate its name
			handler(humago.NewContext(op, r, w))
		}))
}

// ServeHTTP implements huma.Adapter.
func (d *adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.api.ServeHTTP(w, r) }
