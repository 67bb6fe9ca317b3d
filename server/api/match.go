package api

import (
	"slices"
	"strconv"
	"strings"

	"parley/server/fault"
	"parley/shared/rest"
)

// ifMatch reads the version that a change is based on (RFC 9110 §13.1.1): none,
// like "*", says that it is meant whatever there is now; of a list, that there
// is now if it is in it, else the newest. Whether it is the one that there is, the
// record decides: known is what this server knows, and another one may know more.
// The tags are taken as proxies that compress answers change them: weak, or with the
// coding behind the version. A version says which settings they are, not by which
// bytes they came.
func ifMatch(header string, known int64) (int64, error) {
	tags, ok := entityTags(header)
	if !ok {
		return 0, &rest.Problem{Code: rest.CodeOutOfRange, Field: "If-Match", Detail: "send the ETag of what you read"}
	}
	if len(tags) == 0 || slices.Contains(tags, "*") {
		return rest.AnyVersion, nil
	}
	newest := int64(-1)
	for _, tag := range tags {
		version, err := strconv.ParseInt(strings.Trim(tag, `"`), 10, 64)
		if err != nil || tag != etag(version) { // never one of ours
			continue
		}
		if version == known {
			return known, nil
		}
		newest = max(newest, version)
	}
	if newest < 0 {
		return 0, fault.Conflict
	}
	return newest, nil
}

// entityTags reads a list of tags (RFC 9110 §8.8.3) without what makes them weak
// and what names a coding.
func entityTags(header string) (tags []string, ok bool) {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		switch tag := strings.TrimPrefix(part, "W/"); {
		case part == "":
		case part == "*":
			tags = append(tags, part)
		case len(tag) >= 2 && tag[0] == '"' && tag[len(tag)-1] == '"' && !strings.Contains(tag[1:len(tag)-1], `"`):
			tags = append(tags, `"`+withoutCoding(tag[1:len(tag)-1])+`"`)
		default:
			return nil, false
		}
	}
	return tags, true
}

// withoutCoding takes away what Apache ("-gzip"), Jetty ("--gzip") and others
// (";gzip", "/gzip") write behind a tag.
func withoutCoding(tag string) string {
	for _, coding := range []string{"gzip", "br", "zstd", "deflate", "df"} {
		if rest, found := strings.CutSuffix(tag, coding); found && rest != "" {
			return strings.TrimRight(rest, "-;/")
		}
	}
	return tag
}
