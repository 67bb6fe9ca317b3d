package routes

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/alerts"
	"parley/app/admin/settings"
)

// The pages on which an admin runs the server. Without a client they get nil, and
// not an interface around nil: they are prerendered.

func settingsPage(s *services, _ string) app.UI {
	if s.client == nil {
		return settings.New(nil)
	}
	return settings.New(s.client)
}

func alertsPage(s *services, _ string) app.UI {
	if s.client == nil {
		return alerts.New(nil)
	}
	return alerts.New(s.client)
}

func alertRulesPage(s *services, _ string) app.UI {
	if s.client == nil {
		return alerts.NewRules(nil)
	}
	return alerts.NewRules(s.client)
}
