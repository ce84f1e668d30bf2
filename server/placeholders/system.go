package placeholders

import (
	"regexp"
	"strings"

	"github.com/helpd/helpd/server/dynamiccontent"
)

// systemTexts are helpd's own, by language. A language or text that is not here
// has the English one. {{zd.…}} names them.
var systemTexts = map[string]map[string]string{
	"en": {
		"your_unsolved_tickets": "Your unsolved tickets", "unassigned_tickets": "Unassigned tickets", "all_unsolved_tickets": "All unsolved tickets",
		"recently_updated_tickets": "Recently updated tickets", "pending_tickets": "Pending tickets", "recently_solved_tickets": "Recently solved tickets",
		"overdue_tasks": "Overdue tasks", "current_tasks": "Current tasks",
		"status_new": "New", "status_open": "Open", "status_pending": "Pending", "status_hold": "On-hold", "status_solved": "Solved", "status_closed": "Closed",
		"priority_low": "Low", "priority_normal": "Normal", "priority_high": "High", "priority_urgent": "Urgent",
		"type_question": "Question", "type_incident": "Incident", "type_problem": "Problem", "type_task": "Task",
		"role_end-user": "End user", "role_agent": "Agent", "role_admin": "Administrator", "role_light-agent": "Light agent",
		"score_good": "Good", "score_bad": "Bad",
		"satisfaction_question":   "How would you rate the support you received?",
		"satisfaction_good":       "Good, I'm satisfied",
		"satisfaction_bad":        "Bad, I'm unsatisfied",
		"article_solved":          "Yes, this solved my request",
		"article_rejected":        "No, it did not help",
		"follower_reply_public":   "Reply to this email to add a comment to the request.",
		"follower_reply_internal": "Reply to this email to add an internal note to the request.",
		"internal_note":           "internal note", "attachments": "Attachments",
	},
	"de": {
		"your_unsolved_tickets": "Ihre ungelösten Tickets", "unassigned_tickets": "Nicht zugewiesene Tickets", "all_unsolved_tickets": "Alle ungelösten Tickets",
		"recently_updated_tickets": "Kürzlich aktualisierte Tickets", "pending_tickets": "Wartende Tickets", "recently_solved_tickets": "Kürzlich gelöste Tickets",
		"overdue_tasks": "Überfällige Aufgaben", "current_tasks": "Aktuelle Aufgaben",
		"status_new": "Neu", "status_open": "Offen", "status_pending": "Wartend", "status_hold": "Angehalten", "status_solved": "Gelöst", "status_closed": "Geschlossen",
		"priority_low": "Niedrig", "priority_normal": "Normal", "priority_high": "Hoch", "priority_urgent": "Dringend",
		"type_question": "Frage", "type_incident": "Vorfall", "type_problem": "Problem", "type_task": "Aufgabe",
		"role_end-user": "Endbenutzer", "role_agent": "Agent", "role_admin": "Administrator", "role_light-agent": "Light Agent",
		"score_good": "Gut", "score_bad": "Schlecht",
		"satisfaction_question":   "Wie bewerten Sie die Hilfe, die Sie bekommen haben?",
		"satisfaction_good":       "Gut, ich bin zufrieden",
		"satisfaction_bad":        "Schlecht, ich bin unzufrieden",
		"article_solved":          "Ja, das hat meine Anfrage gelöst",
		"article_rejected":        "Nein, das hat nicht geholfen",
		"follower_reply_public":   "Antworten Sie auf diese E-Mail, um der Anfrage einen Kommentar hinzuzufügen.",
		"follower_reply_internal": "Antworten Sie auf diese E-Mail, um der Anfrage eine interne Notiz hinzuzufügen.",
		"internal_note":           "interne Notiz", "attachments": "Anhänge",
	},
	"fr": {
		"your_unsolved_tickets": "Vos tickets non résolus", "unassigned_tickets": "Tickets non assignés", "all_unsolved_tickets": "Tous les tickets non résolus",
		"recently_updated_tickets": "Tickets récemment mis à jour", "pending_tickets": "Tickets en attente", "recently_solved_tickets": "Tickets récemment résolus",
		"overdue_tasks": "Tâches en retard", "current_tasks": "Tâches actuelles",
		"status_new": "Nouveau", "status_open": "Ouvert", "status_pending": "En attente", "status_hold": "En pause", "status_solved": "Résolu", "status_closed": "Clos",
		"priority_low": "Basse", "priority_normal": "Normale", "priority_high": "Élevée", "priority_urgent": "Urgente",
		"type_question": "Question", "type_incident": "Incident", "type_problem": "Problème", "type_task": "Tâche",
		"role_end-user": "Utilisateur final", "role_agent": "Agent", "role_admin": "Administrateur", "role_light-agent": "Agent light",
		"score_good": "Bien", "score_bad": "Mauvais",
		"satisfaction_question":   "Comment évaluez-vous l'assistance que vous avez reçue ?",
		"satisfaction_good":       "Bien, je suis satisfait(e)",
		"satisfaction_bad":        "Mal, je ne suis pas satisfait(e)",
		"article_solved":          "Oui, cela a résolu ma demande",
		"article_rejected":        "Non, cela n'a pas aidé",
		"follower_reply_public":   "Répondez à cet e-mail pour ajouter un commentaire à la demande.",
		"follower_reply_internal": "Répondez à cet e-mail pour ajouter une note interne à la demande.",
		"internal_note":           "note interne", "attachments": "Pièces jointes",
	},
	"es": {
		"your_unsolved_tickets": "Sus tickets no resueltos", "unassigned_tickets": "Tickets sin asignar", "all_unsolved_tickets": "Todos los tickets no resueltos",
		"recently_updated_tickets": "Tickets actualizados recientemente", "pending_tickets": "Tickets pendientes", "recently_solved_tickets": "Tickets resueltos recientemente",
		"overdue_tasks": "Tareas vencidas", "current_tasks": "Tareas actuales",
		"status_new": "Nuevo", "status_open": "Abierto", "status_pending": "Pendiente", "status_hold": "En espera", "status_solved": "Resuelto", "status_closed": "Cerrado",
		"priority_low": "Baja", "priority_normal": "Normal", "priority_high": "Alta", "priority_urgent": "Urgente",
		"type_question": "Pregunta", "type_incident": "Incidente", "type_problem": "Problema", "type_task": "Tarea",
		"role_end-user": "Usuario final", "role_agent": "Agente", "role_admin": "Administrador", "role_light-agent": "Agente light",
		"score_good": "Bueno", "score_bad": "Malo",
		"satisfaction_question":   "¿Cómo califica la ayuda que recibió?",
		"satisfaction_good":       "Buena, quedé satisfecho",
		"satisfaction_bad":        "Mala, no quedé satisfecho",
		"article_solved":          "Sí, esto resolvió mi solicitud",
		"article_rejected":        "No, no me ayudó",
		"follower_reply_public":   "Responda a este correo para agregar un comentario a la solicitud.",
		"follower_reply_internal": "Responda a este correo para agregar una nota interna a la solicitud.",
		"internal_note":           "nota interna", "attachments": "Archivos adjuntos",
	},
	"ja": {
		"your_unsolved_tickets": "自分の未解決チケット", "unassigned_tickets": "未割り当てチケット", "all_unsolved_tickets": "すべての未解決チケット",
		"recently_updated_tickets": "最近更新されたチケット", "pending_tickets": "保留中のチケット", "recently_solved_tickets": "最近解決済みにしたチケット",
		"overdue_tasks": "期限切れのタスク", "current_tasks": "現在のタスク",
		"status_new": "新規", "status_open": "オープン", "status_pending": "保留中", "status_hold": "待機中", "status_solved": "解決済み", "status_closed": "終了",
		"priority_low": "低", "priority_normal": "普通", "priority_high": "高", "priority_urgent": "緊急",
		"type_question": "質問", "type_incident": "インシデント", "type_problem": "問題", "type_task": "タスク",
		"role_end-user": "エンドユーザー", "role_agent": "エージェント", "role_admin": "管理者", "role_light-agent": "ライトエージェント",
		"score_good": "良い", "score_bad": "悪い",
		"satisfaction_question":   "サポートの対応はいかがでしたか？",
		"satisfaction_good":       "良い、満足しています",
		"satisfaction_bad":        "悪い、満足していません",
		"article_solved":          "はい、解決しました",
		"article_rejected":        "いいえ、解決しませんでした",
		"follower_reply_public":   "このメールに返信すると、リクエストにコメントを追加できます。",
		"follower_reply_internal": "このメールに返信すると、リクエストに社内メモを追加できます。",
		"internal_note":           "社内メモ", "attachments": "添付ファイル",
	},
	"ko": {
		"your_unsolved_tickets": "내 미해결 티켓", "unassigned_tickets": "배정되지 않은 티켓", "all_unsolved_tickets": "모든 미해결 티켓",
		"recently_updated_tickets": "최근 업데이트된 티켓", "pending_tickets": "대기 중인 티켓", "recently_solved_tickets": "최근 해결된 티켓",
		"overdue_tasks": "기한이 지난 작업", "current_tasks": "현재 작업",
		"status_new": "신규", "status_open": "진행 중", "status_pending": "대기 중", "status_hold": "보류", "status_solved": "해결됨", "status_closed": "종료됨",
		"priority_low": "낮음", "priority_normal": "보통", "priority_high": "높음", "priority_urgent": "긴급",
		"type_question": "질문", "type_incident": "인시던트", "type_problem": "문제", "type_task": "작업",
		"role_end-user": "최종 사용자", "role_agent": "상담원", "role_admin": "관리자", "role_light-agent": "라이트 상담원",
		"score_good": "좋음", "score_bad": "나쁨",
		"satisfaction_question":   "지원 서비스는 어떠셨나요?",
		"satisfaction_good":       "좋음, 만족합니다",
		"satisfaction_bad":        "나쁨, 만족하지 않습니다",
		"article_solved":          "예, 해결되었습니다",
		"article_rejected":        "아니요, 도움이 되지 않았습니다",
		"follower_reply_public":   "이 이메일에 회신하면 요청에 댓글이 추가됩니다.",
		"follower_reply_internal": "이 이메일에 회신하면 요청에 내부 메모가 추가됩니다.",
		"internal_note":           "내부 메모", "attachments": "첨부 파일",
	},
}

// system is a text of helpd's own in a language.
func system(lang, key string) (string, bool) {
	if text, ok := systemTexts[lang][key]; ok {
		return text, true
	}
	text, ok := systemTexts["en"][key]
	return text, ok
}

var systemText = regexp.MustCompile(`\{\{\s*zd\.([a-z_]+)\s*\}\}`)

// Title is a title as a reader of a locale reads it: with system texts,
// {{zd.pending_tickets}}, and dynamic content in place of their names. Nothing
// else is rendered: titles are lists' and no ticket's.
func Title(text string, content dynamiccontent.Texts, locale string) string {
	if !strings.Contains(text, "{{") {
		return text
	}
	if strings.Contains(text, "zd.") {
		lang := languageOf(locale)
		text = systemText.ReplaceAllStringFunc(text, func(match string) string {
			if own, ok := system(lang, systemText.FindStringSubmatch(match)[1]); ok {
				return own
			}
			return match
		})
	}
	return content.Render(text, locale)
}

// SystemTitles are the names, {{zd.pending_tickets}}, of the system texts whose
// words for a reader of a locale match.
func SystemTitles(locale string, match func(text string) bool) []string {
	var names []string
	lang := languageOf(locale)
	for key := range systemTexts["en"] {
		if text, _ := system(lang, key); match(text) {
			names = append(names, "{{zd."+key+"}}")
		}
	}
	return names
}

// channels are how ticket.via calls the ways in which tickets come.
var channels = map[string]string{
	"web": "Web form", "email": "Mail", "api": "Web service (API)", "rule": "Business rule", "system": "System", "chat": "Chat", "sms": "Text message",
	"voice": "Phone", "facebook": "Facebook", "twitter": "Twitter", "mobile": "Mobile", "mobile_sdk": "Mobile SDK", "web_widget": "Web Widget",
	"help_center": "Help Center", "closed_ticket": "Closed ticket", "any_channel": "Channel integration", "whatsapp": "WhatsApp", "line": "LINE",
	"native_messaging": "Messaging", "import": "Import",
}

func via(channel string) any {
	if name, ok := channels[channel]; ok {
		return name
	}
	return channel
}
