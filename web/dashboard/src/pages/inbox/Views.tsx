import { useState } from 'react';
import { useQuery } from 'urql';
import { Link, useLocation } from 'wouter';
import { useUser } from '../../app/session';
import { useMay, useWorkspace } from '../../app/workspace';
import { graphql } from '../../gql';
import type { FeedbackFilter, SavedViewsQuery } from '../../gql/graphql';
import { problemIn } from '../../graph/problems';
import { useMutate } from '../../graph/useMutate';
import { useMessages } from '../../i18n/catalogue';
import { Button, IconButton } from '../../ui/Button';
import { Confirm, Dialog } from '../../ui/Dialog';
import { Checkbox, Field, Form, type Values } from '../../ui/Form';
import { useToast } from '../../ui/toast';
import { asFilter, type Conditions, fromFilter, written } from './conditions';
import { MESSAGES } from './messages';
import styles from './Views.module.css';

const VIEWS = graphql(`
  query SavedViews($slug: String!) {
    workspace(slug: $slug) {
      id
      savedViews {
        id
        name
        filter
        orderBy
        isShared
        createdById
      }
    }
  }
`);

const SAVE = graphql(`
  mutation SaveView($input: CreateSavedViewInput!) {
    createSavedView(input: $input) {
      ... on CreateSavedViewSuccess {
        savedView {
          id
          name
        }
      }
      ...Refusal
    }
  }
`);

const DELETE = graphql(`
  mutation DeleteView($id: ID!) {
    deleteSavedView(input: { savedViewId: $id }) {
      ... on DeleteSavedViewSuccess {
        savedViewId
      }
      ...Refusal
    }
  }
`);

type View = NonNullable<SavedViewsQuery['workspace']>['savedViews'][number];

/** The views that were saved, as links; the one that is shown can be deleted, and any other be saved. */
export function Views({ conditions }: { conditions: Conditions }) {
  const { views: t } = useMessages(MESSAGES);
  const { slug } = useWorkspace();
  const user = useUser();
  const isAdmin = useMay('ADMIN');
  const [{ data }] = useQuery({ query: VIEWS, variables: { slug }, requestPolicy: 'cache-and-network' });
  const [asking, ask] = useState<'save' | 'delete' | undefined>();
  const views = data?.workspace?.savedViews ?? [];
  const here = written(conditions);
  const present = views.find((view) => addressOf(view) === here);
  const path = `/w/${slug}/inbox`;
  return (
    <nav className={styles.views} aria-label={t.title}>
      <Link href={path} aria-current={here === '' ? 'page' : undefined}>
        {t.all}
      </Link>
      {views.map((view) => (
        <Link key={view.id} href={`${path}?${addressOf(view)}`} aria-current={view === present ? 'page' : undefined}>
          {view.name}
        </Link>
      ))}
      {here !== '' && data && !present && (
        <Button kind="quiet" icon="plus" onClick={() => ask('save')}>
          {t.save}
        </Button>
      )}
      {present && (isAdmin || present.createdById === user.id) && (
        <IconButton icon="trash" label={t.delete} onClick={() => ask('delete')} />
      )}
      {asking === 'save' && <Save conditions={conditions} onClose={() => ask(undefined)} />}
      {asking === 'delete' && present && <Delete view={present} onClose={() => ask(undefined)} />}
    </nav>
  );
}

const addressOf = (view: View) => fromFilter(view.filter as FeedbackFilter, view.orderBy);

function Save({ conditions, onClose }: { conditions: Conditions; onClose: () => void }) {
  const { views: t } = useMessages(MESSAGES);
  const { id: workspaceId } = useWorkspace();
  const mayShare = useMay('ANALYST');
  const toast = useToast();
  const save = useMutate(SAVE);
  async function send(values: Values) {
    const data = await save({
      input: {
        workspaceId,
        name: values.text('name'),
        filter: asFilter(conditions),
        orderBy: conditions.order,
        isShared: values.is('isShared'),
      },
    });
    const problem = problemIn(data?.createSavedView);
    if (!problem) {
      toast({ text: t.saved(values.text('name')) });
      onClose();
    }
    return problem;
  }
  return (
    <Dialog title={t.save} onClose={onClose}>
      <Form submit={t.kept} onSubmit={send} problems={{ Conflict: t.Conflict }}>
        <Field name="name" label={t.name} required maxLength={100} autoFocus />
        {mayShare && <Checkbox name="isShared" label={t.shared} />}
      </Form>
    </Dialog>
  );
}

function Delete({ view, onClose }: { view: View; onClose: () => void }) {
  const { views: t } = useMessages(MESSAGES);
  const { slug } = useWorkspace();
  const [, go] = useLocation();
  const toast = useToast();
  const remove = useMutate(DELETE);
  async function confirmed() {
    if (!problemIn((await remove({ id: view.id }))?.deleteSavedView)) {
      toast({ text: t.deleted });
      go(`/w/${slug}/inbox`);
    }
  }
  return (
    <Confirm title={t.deleteTitle(view.name)} action={t.deleteAction} onConfirm={confirmed} onClose={onClose}>
      {t.deleteText}
    </Confirm>
  );
}
