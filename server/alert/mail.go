package alert

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/server/fault"
	"parley/server/mail"
	"parley/server/outbound"
	"parley/shared/rest"
)

// mailScheme begins the address of a webhook that is a mailbox (RFC 6068).
const mailScheme = "mailto:"

// mailTo is whose mailbox a webhook's address is.
func mailTo(address string) (to string, isMail bool) { return strings.CutPrefix(address, mailScheme) }

// mailOf is plain text: what happened, and how far it is over its limit, and no more.
func mailOf(p Payload, to string) *mail.Message {
	head, lines := told(p)
	text := append([]string{head}, lines...)
	if p.Alert.Session != "" {
		text = append(text, "session "+p.Alert.Session)
	}
	text = append(text, "", "Parley "+p.Node+", "+p.At.UTC().Format(time.RFC3339))
	return &mail.Message{ID: p.ID, To: to, Subject: "[Parley] " + head, Text: strings.Join(text, "\n") + "\n"}
}

// errNoMailServer: the address was taken when there was one.
var errNoMailServer = fmt.Errorf("%w: no --smtp-server", errFinal)

// sendMail gives the mail server's reply, 0 if none came.
func (s *WebhookSender) sendMail(ctx context.Context, m mail.Message) (reply int, err error) {
	if s.cfg.Mail == nil {
		return 0, errNoMailServer
	}
	err = s.cfg.Mail.Send(ctx, m)
	if refused := (*mail.Error)(nil); errors.As(err, &refused) {
		reply = refused.Reply
		if refused.IsFinal {
			err = fmt.Errorf("%w: %w", errFinal, err)
		}
	}
	return reply, err
}

// faultOf is outbound.FaultOf, with what only mail servers say.
func faultOf(status int, err error) string {
	switch {
	case errors.Is(err, errNoMailServer):
		return rest.DeliveryNoMailServer
	case errors.Is(err, mail.ErrNoTLS):
		return rest.DeliveryTLS
	case errors.Is(err, mail.ErrCredentials):
		return rest.DeliveryCredentials
	case errors.Is(err, mail.ErrRecipient):
		return rest.DeliveryRecipient
	}
	return outbound.FaultOf(status, err)
}

// checkMail is checkWebhook of a mailbox, which has no secret.
func (a *Alerts) checkMail(at, to string) error {
	if a.cfg.Mail == nil {
		return &fault.BadField{Field: at + "url", Detail: "this server sends no mail: start it with --smtp-server, or write an address that begins with https://"}
	}
	if _, err := mail.ParseAddress(to); err != nil {
		return &fault.BadField{Field: at + "url", Detail: err.Error()}
	}
	return nil
}
