package api_test

import (
	"fmt"
	"slices"
	"testing"
)

// following is where the subscriptions of a user are.
func following(user any) string { return fmt.Sprintf("%s/users/%v/user_subscriptions", help, user) }

func TestUserSubscriptions(t *testing.T) {
	t.Parallel()
	r := newReaders(t)
	agentID := r.get("/api/v2/users/search?query=" + r.email("agent")).want(200).ids("users")[0]

	// End users follow the staff, and whom they have heard.
	made := r.customer.post(following(agentID), "").want(201)
	id := made.id("user_subscription")
	made.wantJSON(`{"user_subscription":{"id":%d,"follower_id":%d,"followed_id":%d}}`, id, r.customerID, agentID)
	r.customer.post(in("en-us", following(agentID)), "").want(201).wantJSON("%s", made.body) // the same one
	r.customer.post(following(r.otherID), "").wantMissing()
	r.other.post(r.article+"/comments", `{"comment":{"body":"Hello"}}`).want(201)
	heard := r.customer.post(following(r.otherID), "{}").want(201).id("user_subscription")
	r.agent.post(following(r.customerID), "").want(201)
	r.customer.post(following("me"), "").wantField("user_id", "is your own: nobody follows himself")
	r.customer.post(following(404), "").wantMissing()
	r.agent.post(following(404), "").wantMissing()
	r.anonymous().post(following(agentID), "").want(401)
	gone := r.user("Gone", r.email("gone"), "agent")
	r.delete(fmt.Sprintf("/api/v2/users/%d", gone)).want(200)
	r.agent.post(following(gone), "").wantMissing()

	for path, want := range map[string][]int64{
		following("me") + "?type=followings": {id, heard}, following(r.customerID) + "?type=followings&sort_order=desc&sort_by=id": {heard, id},
		in("ja", following("me")) + "?type=followings&page%5Bsize%5D=1": {id},
	} {
		if got := r.customer.get(path).want(200).ids("user_subscriptions"); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	all := r.agent.get(following(agentID) + "?include=users").want(200) // followers
	all.wantJSON(`{"user_subscriptions":[{"id":%d,"follower_id":%d,"followed_id":%d}],"users":%s,"count":1,"next_page":null,"previous_page":null,"page":1,"page_count":1,"per_page":30}`,
		id, r.customerID, agentID, canonicalOf(all.member("users")))
	if got := all.ids("users"); len(got) != 2 {
		t.Errorf("users %v", got)
	}
	r.customer.get(following(agentID)).wantForbidden()
	r.get(following(404)).wantMissing()
	r.get(following(agentID)+"?type=friends").wantField("type", "friends is neither followers nor followings")
	r.get(help + "/users/x/user_subscriptions").want(400)
	r.anonymous().get(following(agentID)).want(401)

	// Either of the two ends it, and admins.
	r.other.delete(fmt.Sprintf("%s/%d", following(agentID), id)).wantMissing()
	r.customer.delete(fmt.Sprintf("%s/%d", following(r.otherID), id)).wantMissing()
	r.agent.delete(fmt.Sprintf("%s/%d", following(r.otherID), heard)).wantForbidden()
	r.other.delete(fmt.Sprintf("%s/%d", following("me"), heard)).want(204)
	r.customer.delete(in("en-us", fmt.Sprintf("%s/%d", following("me"), id))).want(204)
	r.customer.delete(fmt.Sprintf("%s/%d", following("me"), id)).wantMissing()
	again := r.customer.post(following(agentID), "").want(201).id("user_subscription")
	r.delete(fmt.Sprintf("%s/%d", following(agentID), again)).want(204)
}

func TestFollowersAreTold(t *testing.T) {
	t.Parallel()
	r := newReaders(t)
	agentID := r.get("/api/v2/users/search?query=" + r.email("agent")).want(200).ids("users")[0]
	customer, other := r.email("customer"), r.email("other")
	for _, who := range []*anAPI{r.customer, r.other} {
		who.post(following(r.admin.ID), "").want(201)
		who.post(following(agentID), "").want(201)
	}
	r.agent.post(following(agentID), "").want(400)
	r.customer.post(r.article+"/subscriptions", `{"subscription":{"source_locale":"en-us"}}`).want(201) // and is told once

	r.agent.post(r.article+"/comments", `{"comment":{"body":"x"}}`).want(201)
	r.agent.post(r.article+"/comments", `{"comment":{"body":"x"},"notify_subscribers":false}`).want(201)
	r.customer.post(r.article+"/comments", `{"comment":{"body":"x"}}`).want(201) // whom nobody follows
	told := []string{customer + ": New comment: Returns", other + ": New comment: Returns"}
	r.wantTold(told...)

	// In the article's own language alone, when it is no draft any more.
	refunds := r.post(r.section+"/articles", `{"article":{"title":"Refunds","locale":"en-us","draft":true,"translations":[{"locale":"ja","title":"返金"},{"locale":"en-us","title":"Refunds","draft":true}]}}`).want(201).id("article")
	r.wantTold(told...)
	r.put(fmt.Sprintf("%s/articles/%d/translations/en-us", help, refunds), `{"translation":{"draft":false}}`).want(200)
	told = append(told, customer+": New article: Refunds", other+": New article: Refunds")
	r.wantTold(told...)

	// Only of what they may see: of segments that they are in, in sections that are open
	// to them, which lie in such.
	segment := r.post("/api/v2/help_center/user_segments", fmt.Sprintf(`{"user_segment":{"name":"One","user_type":"signed_in_users","tags":["silver"],"added_user_ids":[%d]}}`, r.otherID)).want(201).id("user_segment")
	r.post(r.section+"/articles", fmt.Sprintf(`{"article":{"title":"For one","locale":"en-us","user_segment_id":%d}}`, segment)).want(201)
	told = append(told, other+": New article: For one")
	r.wantTold(told...)
	parent := r.get(r.section).want(200).id("section")
	below := r.post(r.category+"/sections", fmt.Sprintf(`{"section":{"name":"Below","locale":"en-us","parent_section_id":%d}}`, parent)).want(201).id("section")
	r.put(r.section+"/access_policy", `{"access_policy":{"viewable_by":"staff"}}`).want(200)
	r.post(fmt.Sprintf("%s/sections/%d/articles", help, below), `{"article":{"title":"Closed","locale":"en-us"}}`).want(201)
	r.wantTold(told...)
	r.put(r.section+"/access_policy", `{"access_policy":{"viewable_by":"everybody","required_tags":["gold"]}}`).want(200)
	r.put(fmt.Sprintf("/api/v2/users/%d", r.customerID), `{"user":{"tags":["gold"]}}`).want(200)
	r.post(fmt.Sprintf("%s/sections/%d/articles", help, below), `{"article":{"title":"Gold","locale":"en-us"}}`).want(201)
	told = append(told, customer+": New article: Gold")
	r.wantTold(told...)

	// Who is merged into another follows as he did, and nobody himself; who is deleted
	// follows nobody.
	r.agent.post(following(r.customerID), "").want(201)
	r.put(fmt.Sprintf("/api/v2/users/%d/merge", r.customerID), fmt.Sprintf(`{"user":{"id":%d}}`, r.otherID)).want(200)
	if got := r.get(following(r.otherID) + "?type=followings").want(200).ids("user_subscriptions"); len(got) != 2 {
		t.Errorf("the winner follows %v", got)
	}
	if got := r.get(following(r.otherID)).want(200); fmt.Sprint(got.member("user_subscriptions", 0, "follower_id")) != fmt.Sprint(agentID) {
		t.Errorf("the winner is followed by %s", got.body)
	}
	r.delete(fmt.Sprintf("/api/v2/users/%d", r.otherID)).want(200)
	if n := r.number("SELECT count(*) FROM user_subscriptions WHERE account_id = ?", r.account.ID); n != 0 {
		t.Errorf("%d are left", n)
	}
}
