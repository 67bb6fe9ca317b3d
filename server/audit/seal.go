package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"io"
	"strconv"

	"parley/shared/rest"
)

// sealVersion begins what is hashed. A line with other fields gets another one.
const sealVersion = "parley audit 1\n"

// Seal hashes a line onto the one before it: hex SHA-256 over sealVersion and
// then, each as a netstring (its length in bytes in decimal, a colon, its bytes,
// a comma), these fields in this order:
//
//	prev_hash id seq t actor actor_org org remote action target outcome reason
//	request_id node details
//
// Numbers are decimal; t is in milliseconds since 1970; an empty field is the
// empty netstring. details are JSON with sorted keys, no spaces and only what
// JSON demands escaped; without details the field is empty. PrevHash and Hash of
// e itself are not looked at.
//
// The hash has no key: whoever can write the file can also hash all that
// follows anew. What he can't do is keep an old hash that somebody noted.
func Seal(prevHash string, e rest.AuditEntry) string {
	h := sha256.New()
	io.WriteString(h, sealVersion) // a hash never fails to be written to
	for _, field := range []string{
		prevHash, strconv.FormatInt(e.ID, 10), strconv.FormatInt(e.Seq, 10), strconv.FormatInt(e.T.UnixMilli(), 10),
		e.Actor, e.ActorOrg, e.Org, e.Remote, string(e.Action), e.Target, e.Outcome, e.Reason, e.RequestID, e.Node,
		canonical(e.Details),
	} {
		netstring(h, field)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func netstring(h hash.Hash, s string) {
	io.WriteString(h, strconv.Itoa(len(s)))
	io.WriteString(h, ":")
	io.WriteString(h, s)
	io.WriteString(h, ",")
}

// canonical is the one text of details, whether they come from a caller or from
// the store. Details that have none can't be kept either; they hash as null.
func canonical(details map[string]any) string {
	if len(details) == 0 {
		return ""
	}
	plain, err := normalized(details)
	if err != nil {
		return "null"
	}
	text, err := encode(plain)
	if err != nil {
		return "null"
	}
	return string(text)
}

// normalized makes maps, lists, texts and numbers of whatever details hold. Numbers
// keep their digits.
func normalized(details map[string]any) (plain map[string]any, err error) {
	text, err := encode(details)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return plain, dec.Decode(&plain)
}

func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}
