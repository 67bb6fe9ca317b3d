package routes

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/logs"
)

func activityPage(s *services, _ string) app.UI {
	if s.client == nil {
		return logs.NewActivity(nil)
	}
	return logs.NewActivity(s.client)
}

func accessLogPage(s *services, _ string) app.UI { return logs.NewAccess(s.logServer()) }
func auditLogPage(s *services, _ string) app.UI  { return logs.NewAudit(s.logServer()) }

// logServer is nil, and not an interface around nil, while prerendering.
func (s *services) logServer() logs.Server {
	if s.client == nil {
		return nil
	}
	return s.client
}
