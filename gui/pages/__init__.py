"""The pages of the window: each one shows a WizardState and proposes the next."""
