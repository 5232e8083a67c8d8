# English. A language is one file like this, in the syntax of Project Fluent, named by its BCP 47 tag; a test says what is missing in it.

direction = ltr
# Of a moment: $day, $month as a number, $year; and $time as 14:05, in UTC.
date = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
  } { $year }
moment = { date }, { $time } UTC

skip = Skip to the text
home-title = { $place } on the fediverse
home-lead = Follow an author or a whole community from Mastodon or any other app of the fediverse, and answer from there.
home-empty = No community lives here yet.
home-authors = Authors
home-posts = Latest posts
authors = { $n ->
    [one] { $n } author
   *[other] { $n } authors
  }
posts = { $n ->
    [one] { $n } post
   *[other] { $n } posts
  }
replies = { $n ->
    [one] { $n } reply
   *[other] { $n } replies
  }
likes = { $n ->
    [one] { $n } like
   *[other] { $n } likes
  }
boosts = { $n ->
    [one] { $n } boost
   *[other] { $n } boosts
  }
others = and { $n } more

kind-author = Author
kind-community = Community
kind-editors = Editors
kind-server = This server
profile-posts = Posts
profile-empty = Nothing published yet.
profile-hint = Or paste the handle into the search field of your app.
follow = Follow
conversation = Conversation
older = Older
newer = Newer
feeds = Feeds

post-by = By
post-read = Read it on { $place }
post-updated = edited { $date }
post-conversation = Conversation
post-answer = Answer from your own account
post-empty = Nobody has answered yet.
post-pages = Pages of the conversation
likes-of = Liked by
boosts-of = Boosted by
reply-gone = This reply is not there any more.
reply-edited = edited
reply-to = answers { $name }
reply-answer = Answer
reply-original = At its own server
reply-author = Author
reply-warning = Warning: { $warning }
reply-sensitive = Sensitive pictures
reply-choices = Choices of a poll
attachment = Attachment
attachment-kind = Attachment ({ $kind })

follow-title = Follow { $name }
follow-lead = Enter your own handle on the fediverse. You are taken to your server, and follow from there.
answer-title = Answer { $name }
answer-lead = Enter your own handle on the fediverse. You are taken to your server, and answer from there.
from-label = Your handle, or your server
from-example = @you@mastodon.example
from-hint = Such as @you@mastodon.example. It is only kept in this browser, to fill the field in next time.
from-go = Take me there
by-hand = Or by hand: paste this address into the search field of your app.
unreadable = That is no handle and no server. Write @name@server, as in @you@mastodon.example.
ours = Nobody logs in here. Enter the server where your own account is.
unknown = { $server } knows nobody called { $user }. Is it spelled right?
unreachable = { $server } does not answer just now. Is it spelled right? Otherwise try again in a while.
too-many = That was often in a short time. Try again in a minute.

error-400 = That makes no sense to us
error-400-why = Something is missing from the address, or does not fit.
error-404 = Not found
error-404-why = There is nothing at this address. It may have been mistyped.
error-410 = Gone
error-410-why = What was here has been taken down and will not come back.
error-429 = Too many requests
error-429-why = Please wait a moment, then try again.
error-other = This went wrong
error-other-why = Please try again later.
error-home = To the home page
