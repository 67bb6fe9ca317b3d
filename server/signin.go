package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"parley/server/api"
	"parley/server/auth"
	"parley/server/oidc"
	"parley/shared/rest"
)

// The client secret comes by a file or by this variable, never by a flag.
const providerSecretVariable = "PARLEY_OIDC_CLIENT_SECRET"

// providerFlags say with whose accounts people sign in, beside links and tokens.
type providerFlags struct {
	Issuer           string        `help:"URL of the OpenID Connect provider whose accounts people sign in with."`
	ClientID         string        `name:"client-id" help:"Client ID that the provider gave this server."`
	ClientSecretFile string        `type:"path" help:"File with the client secret; or give it by PARLEY_OIDC_CLIENT_SECRET. Without one this is a public client."`
	URL              string        `name:"url" help:"This server's address as browsers reach it, where it isn't the one that is printed at start; the provider sends them back below it, to /api/v1/auth/oidc/callback."`
	Name             string        `default:"SSO" help:"What the button says after: Sign in with."`
	Scopes           []string      `default:"profile,email" help:"Scopes to ask for beside openid; many providers tell groups by one of their own."`
	GroupClaim       string        `default:"groups" help:"Claim with the groups that somebody is in."`
	OrgClaim         string        `default:"org" help:"Claim with the organization, in organization mode."`
	AdminGroups      []string      `help:"Groups whose members administer everything."`
	OrgAdminGroups   []string      `help:"Groups whose members administer their own organization, in organization mode."`
	AuditorGroups    []string      `help:"Groups whose members see everything and change nothing."`
	OrgAuditorGroups []string      `help:"Groups whose members see all of their own organization and change nothing, in organization mode."`
	UserGroups       []string      `help:"Groups one of which somebody must be in; without any, everybody whom the provider signs in may call."`
	Logout           toggle        `default:"on" help:"Signing out here signs out at the provider, too, where it has a place for that (on or off)."`
	SessionLife      time.Duration `default:"8h" help:"How long a sign-in lasts before the provider is asked anew (1m to 24h)."`
}

// check holds the flags against each other.
func (f *providerFlags) check() error {
	switch {
	case f.Issuer == "" && (f.ClientID != "" || f.URL != "" || len(f.AdminGroups)+len(f.OrgAdminGroups)+len(f.AuditorGroups)+len(f.OrgAuditorGroups)+len(f.UserGroups) > 0):
		return errors.New("--oidc-issuer is missing: the other --oidc flags are about it")
	case f.Issuer == "":
		return nil
	case f.ClientID == "":
		return errors.New("--oidc-client-id is missing: the provider gives one to each application")
	case !inRange(f.SessionLife, time.Minute, auth.MaxLife):
		return errors.New("--oidc-session-life takes 1m to 24h")
	}
	if f.URL == "" {
		return nil // that of the listener
	}
	u, err := url.Parse(f.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("--oidc-url: %q is no address of a server: write scheme and name, such as https://voice.example.org", f.URL)
	}
	return nil
}

// identityProvider is the one that is configured; nil: none.
func (c *serveCommand) identityProvider() (api.IdentityProvider, error) {
	f := &c.Provider
	if f.Issuer == "" {
		return nil, nil
	}
	secret, err := f.secret()
	if err != nil {
		return nil, err
	}
	p, err := oidc.New(oidc.Config{
		Issuer: f.Issuer, ClientID: f.ClientID, Secret: secret,
		Redirect: strings.TrimRight(f.URL, "/") + rest.PathProviderCallback,
		Scopes:   f.Scopes, GroupClaim: f.GroupClaim, OrgClaim: f.OrgClaim, UserGroups: f.UserGroups, KeepsSession: f.Logout == "off",
	})
	if err != nil {
		return nil, usage("--oidc-issuer: %w", err)
	}
	return p, nil
}

func (f *providerFlags) secret() (string, error) {
	fromEnv, isSet := os.LookupEnv(providerSecretVariable)
	switch {
	case isSet && f.ClientSecretFile != "":
		return "", usage("give the client secret by --oidc-client-secret-file or by %s, not both", providerSecretVariable)
	case f.ClientSecretFile == "":
		return fromEnv, nil
	}
	raw, err := auth.ReadPrivateFile(f.ClientSecretFile)
	if err != nil {
		return "", usage("--oidc-client-secret-file: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// providerName is what the sign-in page's button says; "" where there is no button.
func (f *providerFlags) providerName() string {
	if f.Issuer == "" {
		return ""
	}
	return f.Name
}
