/** A mail as its receiver will see it. The API makes the page; here its words and links are drawn, never its HTML. */
import { useEffect, useState } from 'preact/hooks';
import { asProblem, post } from './api.ts';
import { ProblemBox } from './parts.tsx';
import type { MailShown, Problem } from './types.ts';
import { visible } from './words.ts';

const SETTLE_MS = 350;

export function MailPreview(props: {
  readonly path: '/v1/invitations/preview' | '/v1/mails/preview';
  readonly body: object;
  readonly to: readonly string[];
}) {
  const { path, to } = props;
  const asked = JSON.stringify(props.body);
  const [mail, setMail] = useState<MailShown | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);

  // Asked when typing rests; a late answer to an earlier text is dropped.
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      post<MailShown>(path, JSON.parse(asked))
        .then((shown) => {
          if (!current) return;
          setMail(shown);
          setProblem(null);
        })
        .catch((error: unknown) => current && setProblem(asProblem(error)));
    }, SETTLE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [path, asked]);

  return (
    <section class="letter" aria-label="Preview of the mail">
      {problem !== null && <ProblemBox problem={problem} />}
      {mail === null && problem === null && <p class="faint">Writing the preview …</p>}
      {mail !== null && (
        <>
          <dl class="facts letter-head">
            <div>
              <dt>To</dt>
              <dd>{to.length === 0 ? <span class="faint">nobody yet</span> : to.map(visible).join(', ')}</dd>
            </div>
            <div>
              <dt>Subject</dt>
              <dd>
                <strong>{visible(mail.subject)}</strong>
              </dd>
            </div>
          </dl>
          <div class="letter-body">
            {mail.paragraphs.map((lines, paragraph) => (
              <p key={paragraph}>
                {lines.map((pieces, line) => (
                  <span key={line} class="letter-line">
                    {pieces.map(({ text, isLink }, piece) =>
                      // Shown as a link, but not to be followed from here: it is the customer's to open.
                      isLink ? (
                        <span key={piece} class="letter-link">
                          {visible(text)}
                        </span>
                      ) : (
                        visible(text)
                      ),
                    )}
                  </span>
                ))}
              </p>
            ))}
          </div>
        </>
      )}
    </section>
  );
}
