"""French."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "request_sent": "Votre demande a été envoyée au propriétaire pour approbation.",
        "code": "Votre code : {code}. Demandez au propriétaire d'exécuter : doorcode pairing approve {platform} {code}",
        "declined": "Votre demande a été refusée.",
        "private": "Ce bot est privé.",
        "direct_only": "Écrivez-moi en message privé.",
        "went_wrong": "Une erreur s'est produite. Veuillez réessayer.",
        "approved": "Votre demande a été acceptée !",
        "invited": "Vous avez maintenant accès !",
        "write": "Envoyez-moi un message.",
        "write_with": "Envoyez-moi un message avec {command}.",
        "in_already": "Vous avez déjà accès.",
        "ticket_is_over": "Cela ne fonctionne plus. Demandez-en un nouveau.",
        "only_text": "Pour l'instant, je ne sais lire que du texte.",
        "nothing_said": "Je n'ai rien à dire à ce sujet.",
        "too_long": "C'est plus que je ne peux lire en une fois. Merci de le dire en moins de mots.",
        "gave_up": "Désolé, je n'ai pas pu répondre. Veuillez réessayer plus tard.",
        "answered_below": "(réponse plus bas)",
        "stale_button": "Ce bouton ne fonctionne plus.",
        "only_the_owner": "Seul le propriétaire peut faire cela.",
        "claimed": "Ce bot est désormais à vous. Dorénavant, on vous demandera qui peut lui parler.",
        "owner_already": "Ce bot est déjà à vous.",
        "nobody_waits": "Personne n'attend votre réponse.",
        "waiting": "En attente de votre réponse : {number}.",
        "last_to_ask": "Dernière demande : {who}.",
        "your_page": "Votre page. Le lien fonctionne une seule fois, pendant cinq minutes ; quiconque l'ouvre décide qui peut entrer :",
        "no_page": "Pour les voir toutes : doorcode pairing list --pending",
    }
)
