package certificate

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/mholt/acmez/v3/acme"
)

const answeredElsewhere = "something else answered at that name, or nothing: have its A and AAAA records point at this machine alone, " +
	"and hand ports 443 and 80 on to it without ending TLS in front"

// advice says what to do about a problem that an authority answers with, by its
// type (RFC 8555 §6.7).
var advice = map[string]string{
	acme.ProblemTypeConnection: "it could not reach this server at that name: open ports 443 and 80 to the internet, " +
		"and have the name's A and AAAA records point at this machine's public addresses",
	acme.ProblemTypeDNS: "it does not find that name: make an A or AAAA record with this machine's public address, " +
		"and wait until it is known",
	acme.ProblemTypeUnauthorized:      answeredElsewhere,
	acme.ProblemTypeIncorrectResponse: answeredElsewhere,
	acme.ProblemTypeTLS:               "something else answered on port 443 at that name: hand that port on to this server without ending TLS",
	acme.ProblemTypeCAA:               "the name's CAA record lets other authorities issue only: add this one to it, or write the other to --acme-ca",
	acme.ProblemTypeRateLimited: "it was asked too often of late: leave the server running, it asks again by itself; " +
		"to try things out, write the authority's staging directory to --acme-ca",
	acme.ProblemTypeRejectedIdentifier:      "it does not issue for that name: write another to --domain, or a private authority to --acme-ca",
	acme.ProblemTypeUnsupportedIdentifier:   "it does not issue for that name: write another to --domain, or a private authority to --acme-ca",
	acme.ProblemTypeInvalidContact:          "it does not take the address of --acme-email: write another, or none",
	acme.ProblemTypeUnsupportedContact:      "it does not take the address of --acme-email: write another, or none",
	acme.ProblemTypeExternalAccountRequired: "it wants an account that was made beforehand: write its --acme-eab-kid and --acme-eab-key-file, or another authority to --acme-ca",
	acme.ProblemTypeServerInternal:          "it has a fault of its own: leave the server running, it asks again by itself",
	problemTypeInvalidProfile:               "it has no such kind of certificate: correct --acme-profile, or leave it out",
}

// problemTypeInvalidProfile is of the draft on profiles, draft-ietf-acme-profiles.
const problemTypeInvalidProfile = acme.ProblemTypeNamespace + "invalidProfile"

// explain says in a sentence why there is no certificate from the authority at
// directory, and what to do. hasAccount: it was given one that was made beforehand.
func explain(directory string, hasAccount bool, err error) string {
	var problem acme.Problem
	if errors.As(err, &problem) {
		said := explainProblem(directory, problem)
		if hasAccount && problem.Type == acme.ProblemTypeUnauthorized {
			said += "; or that the account is none of its own: correct --acme-eab-kid and --acme-eab-key-file"
		}
		return said
	}
	if strings.Contains(err.Error(), "unknown profile name") { // by the library, which has no type for it
		return fmt.Sprintf("%s has no such kind of certificate: correct --acme-profile, or leave it out (%v)", directory, err)
	}
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		return fmt.Sprintf("%s shows a certificate that this machine does not trust: name the file of its root with --acme-ca-root", directory)
	}
	var network *net.OpError
	var lookup *net.DNSError
	if errors.As(err, &network) || errors.As(err, &lookup) {
		return fmt.Sprintf("%s can't be reached from this machine: let HTTPS to it out, or correct --acme-ca (%v)", directory, err)
	}
	return err.Error()
}

func explainProblem(directory string, p acme.Problem) string {
	said := strings.TrimSuffix(p.Detail, ".")
	for _, part := range p.Subproblems {
		said += "; " + part.Detail
	}
	act, known := advice[p.Type]
	if !known {
		return fmt.Sprintf("%s refuses: %s (%s)", directory, said, strings.TrimPrefix(p.Type, acme.ProblemTypeNamespace))
	}
	return fmt.Sprintf("%s refuses: %s. This means that %s", directory, said, act)
}
