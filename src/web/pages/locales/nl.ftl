# Nederlands.

direction = ltr
date = { $day } { $month ->
    [1] januari
    [2] februari
    [3] maart
    [4] april
    [5] mei
    [6] juni
    [7] juli
    [8] augustus
    [9] september
    [10] oktober
    [11] november
   *[12] december
  } { $year }
moment = { date }, { $time } UTC

skip = Naar de tekst
home-title = { $place } op de fediverse
home-lead = Volg een auteur of een hele community vanuit Mastodon of een andere app van de fediverse, en antwoord van daaruit.
home-empty = Hier woont nog geen community.
home-authors = Auteurs
home-posts = Nieuwste berichten
authors = { $n ->
    [one] { $n } auteur
   *[other] { $n } auteurs
  }
posts = { $n ->
    [one] { $n } bericht
   *[other] { $n } berichten
  }
replies = { $n ->
    [one] { $n } reactie
   *[other] { $n } reacties
  }
likes = { $n ->
    [one] { $n } like
   *[other] { $n } likes
  }
boosts = { $n ->
    [one] { $n } boost
   *[other] { $n } boosts
  }
others = en nog { $n }

kind-author = Auteur
kind-community = Community
kind-editors = Redactie
kind-server = Deze server
profile-posts = Berichten
profile-empty = Nog niets gepubliceerd.
profile-hint = Of plak de naam in het zoekveld van je app.
follow = Volgen
conversation = Gesprek
older = Ouder
newer = Nieuwer
feeds = Feeds

post-by = Door
post-read = Lees het op { $place }
post-updated = bewerkt op { $date }
post-conversation = Gesprek
post-answer = Antwoord vanuit je eigen account
post-empty = Nog niemand heeft geantwoord.
post-pages = Pagina’s van het gesprek
likes-of = Leuk gevonden door
boosts-of = Gedeeld door
reply-gone = Deze reactie is er niet meer.
reply-edited = bewerkt
reply-to = antwoordt { $name }
reply-answer = Antwoorden
reply-original = Op de eigen server
reply-author = Auteur
reply-warning = Waarschuwing: { $warning }
reply-sensitive = Gevoelige afbeeldingen
reply-choices = Keuzes van een peiling
attachment = Bijlage
attachment-kind = Bijlage ({ $kind })

follow-title = { $name } volgen
follow-lead = Vul je eigen naam op de fediverse in. Je gaat dan naar je eigen server en volgt van daaruit.
answer-title = { $name } antwoorden
answer-lead = Vul je eigen naam op de fediverse in. Je gaat dan naar je eigen server en antwoordt van daaruit.
from-label = Je naam, of je server
from-example = @jij@mastodon.example
from-hint = Zoals @jij@mastodon.example. Die wordt alleen in deze browser bewaard, om het veld de volgende keer in te vullen.
from-go = Breng me erheen
by-hand = Of zelf: plak dit adres in het zoekveld van je app.
unreadable = Dat is geen naam en geen server. Schrijf @naam@server, zoals @jij@mastodon.example.
ours = Hier logt niemand in. Vul de server in waar je eigen account is.
unknown = { $server } kent niemand die { $user } heet. Klopt de spelling?
unreachable = { $server } geeft nu geen antwoord. Klopt de spelling? Probeer het anders later nog eens.
too-many = Dat was vaak in korte tijd. Probeer het over een minuut nog eens.

error-400 = Dat begrijpen we niet
error-400-why = Er ontbreekt iets aan het adres, of er klopt iets niet.
error-404 = Niet gevonden
error-404-why = Op dit adres staat niets. Misschien zit er een tikfout in.
error-410 = Weggehaald
error-410-why = Wat hier stond is weggehaald en komt niet terug.
error-429 = Te veel verzoeken
error-429-why = Wacht even en probeer het dan opnieuw.
error-other = Dit ging mis
error-other-why = Probeer het later opnieuw.
error-home = Naar de startpagina
