import { useEffect, useRef, useState } from 'react';
import { useWorkspace } from '../../app/workspace';
import { useMessages } from '../../i18n/catalogue';
import { Actions } from '../../ui/Actions';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Code } from '../../ui/Copy';
import { openGraphiQL } from './handOver';
import { MESSAGES } from './messages';
import { OPERATIONS, type Operation } from './operations';

const [FIRST] = OPERATIONS;

/** The schema with all its descriptions, and operations to begin with, for the key that was given above. */
export function Explore({ secret, named }: { secret: string | undefined; named: string | undefined }) {
  const t = useMessages(MESSAGES);
  const { id: workspaceId, slug } = useWorkspace();
  const [chosen, choose] = useState<Operation | undefined>(FIRST);
  const ends = useRef<(() => void)[]>([]);
  useEffect(
    () => () => {
      for (const end of ends.current) end();
    },
    [],
  );

  function open({ query, variables }: Operation) {
    const given = variables({ workspaceId, slug, now: new Date(), sample: t.sample });
    ends.current.push(openGraphiQL({ key: secret, query, variables: given }));
  }

  return (
    <Card title={t.explore}>
      <p>{t.exploreText}</p>
      <Actions>
        {OPERATIONS.map((each) => (
          <Button
            key={each.key}
            kind={each === chosen ? 'primary' : 'plain'}
            aria-pressed={each === chosen}
            onClick={() => choose(each)}
          >
            {t.operations[each.key]}
          </Button>
        ))}
      </Actions>
      {chosen && (
        <>
          <Code text={chosen.query} label={t.copyOperation} />
          <p>
            {chosen.scope ? t.needs(chosen.scope) : t.needsNothing} {named ? t.asKey(named) : t.asYou}
          </p>
          <Button kind="primary" onClick={() => open(chosen)}>
            {named ? t.graphiqlAs(named) : t.graphiql}
          </Button>
        </>
      )}
    </Card>
  );
}
